using System.Buffers;
using System.Text;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Operations;

namespace Ballast.Protocols.Tests.Operations;

public class UploadFormTests
{
    private const string Type = "multipart/form-data; boundary=b-1";

    private const string Form =
        "--b-1\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b-1\r\ncontent-disposition: form-data; name=file; filename=\"a \\\"b\\\".txt\"; filename*=utf-8''a%20b.txt\r\n"
        + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\none\r\n--b-2\r\n\r\ntwo\r\n"
        + "--b-1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nsmall\r\n--b-1\r\nContent-Disposition: form-data; name=\"expires_after[anchor]\"\r\n\r\ncreated_at\r\n--b-1--\r\n";

    [Fact]
    public void Read_WholeForm_FindsItsFields()
    {
        UploadForm form = UploadForm.Read(Encoding.UTF8.GetBytes(Form), Type);

        Assert.Equal(("batch", "small", "one\r\n--b-2\r\n\r\ntwo"), (form.Purpose, form.Model, Encoding.UTF8.GetString(form.File.Span)));
    }

    [Fact]
    public void Write_WholeForm_KeepsNamesAndContentsAndNothingThatWasNotUnderstood()
    {
        UploadForm form = UploadForm.Read(Encoding.UTF8.GetBytes(Form), Type);
        ArrayBufferWriter<byte> output = new();
        form.Write("new", [new JsonEdit(new JsonSpan(0, 3), "ONE!"u8.ToArray())], output);

        Assert.Equal(
            "--new\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
            + "--new\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".txt\"; filename*=utf-8''a%20b.txt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
            + "ONE!\r\n--b-2\r\n\r\ntwo\r\n--new\r\nContent-Disposition: form-data; name=\"expires_after[anchor]\"\r\n\r\ncreated_at\r\n--new--\r\n",
            Encoding.UTF8.GetString(output.WrittenSpan));
    }

    public static TheoryData<string> NoForms =>
    [
        "", "--", "--b\r\n", "--b\r\n\r\n", "{}",
        Of(Part("name=\"file\"", "x")), // no purpose
        Of(Part("name=\"purpose\"", "batch")), // no file
        Of(Part("name=\"file\"", "x"), Part("name=\"purpose\"", "batch"), Part("name=purpose", "user_data")),
        Of(Part("name=\"file\"", "x"), Part("name=\"file\"", "y"), Part("name=\"purpose\"", "batch")),
        Of(Part("name=\"file\"", "x"), Part("name=\"purpose\"; name=\"other\"", "batch")),
        Of(Part("name=\"file\"", "x"), Part("name=\"purpose\"; name*=utf-8''other", "batch")),
        Of(Part("name=\"file\"", "x"), Part("name=\"purp\\ose\"", "batch")),
        Of(Part("name=\"file\"", "x"), Part("name=\"purpose", "batch")),
        Of(Part("name=\"file\"", "x"), Part("name=", "batch")),
        Of(Part("name=\"file\"", "x"), Part("name=\"purpose\"", "bat\nch")),
        Of(Part("name=\"file\"", "x"), Part("name=\"purpose\"", "")),
        Of(Part("name=\"file\"", "x"), Part("name=\"purpose\"", new string('p', 600))),
        Of(Part("name=\"file\"", "x"), "Content-Disposition: form-data; name=\"purpose\"\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nbatch"),
        Of(Part("name=\"file\"", "x"), "Content-Disposition: form-data; name=\"purpose\"\nX: y\r\n\r\nbatch"),
        Of(Part("name=\"file\"", "x"), "Content-Disposition: attachment; name=\"purpose\"\r\n\r\nbatch"),
        Of(Part("name=\"file\"", "x\r\n--b \r\n"), Part("name=\"purpose\"", "batch")), // white space behind a boundary
        Of([Part("name=\"file\"", "x"), Part("name=\"purpose\"", "batch"), .. Enumerable.Range(0, 40).Select(i => Part($"name=\"x{i}\"", ""))]),
    ];

    [Theory]
    [MemberData(nameof(NoForms))]
    public void Read_NoForm_IsRefused(string body) =>
        Assert.Throws<ProtocolException>(() => UploadForm.Read(Encoding.UTF8.GetBytes(body), "multipart/form-data; boundary=b"));

    [Theory]
    [InlineData(null)]
    [InlineData("application/json")]
    public void Read_AnotherContentType_IsRefused(string? type) => Assert.Throws<ProtocolException>(() => UploadForm.Read(Encoding.UTF8.GetBytes(Form), type));

    [Fact]
    public void Read_AnyCutOrChangedByte_IsReadOrRefused()
    {
        byte[] form = Encoding.UTF8.GetBytes(Form);
        for (int i = 0; i < form.Length; i++)
        {
            byte[] changed = [.. form];
            changed[i] ^= 0x20;
            foreach (byte[] body in (byte[][])[form[..i], changed])
            {
                try
                {
                    UploadForm read = UploadForm.Read(body, Type);
                    read.Write("x", [], new ArrayBufferWriter<byte>());
                    Assert.True(body.Length >= form.Length - 2, $"cut at {i}"); // the last line may do without its end
                }
                catch (ProtocolException)
                {
                    // Refused in words.
                }
            }
        }
    }

    private static string Part(string name, string content) => $"Content-Disposition: form-data; {name}\r\n\r\n{content}";

    private static string Of(params IEnumerable<string> parts) => string.Concat(parts.Select(part => $"--b\r\n{part}\r\n")) + "--b--\r\n";
}
