using System.Text;
using Ballast.Transport.Http1;

namespace Ballast.Tests.Transport.Http1;

public class ChunkedCodingTests
{
    private const string Rest = "HTTP/1.1 200 OK\r\n";

    [Theory]
    [InlineData("0\r\n\r\n", "")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world")]
    [InlineData("00005\r\nhello\r\n000\r\n\r\n", "hello")]
    [InlineData("A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a")]
    [InlineData("5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", "hello")]
    [InlineData("5 \t\r\nhello\r\n0 ;x\r\n\r\n", "hello")]
    [InlineData("2\r\n\r\n\r\n0\r\n\r\n", "\r\n")]
    [InlineData("1\r\na\r\n0\r\nTrailer: b\r\nOther: c\r\n\r\n", "a")]
    public void TryDecode_Whole_IsTheSameHoweverCut(string coded, string plain)
    {
        byte[] all = Encoding.ASCII.GetBytes(coded + Rest);
        for (int cut = 0; cut <= coded.Length; cut++)
        {
            Assert.Equal((plain, Rest, true), Decode(all, cut, coded.Length));
        }

        Assert.Equal((plain, Rest, true), Decode(all, [.. Enumerable.Range(0, all.Length)]));
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("g\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("0x5\r\nhello\r\n")]
    [InlineData(" 5\r\nhello\r\n")]
    [InlineData("5\nhello\r\n")]
    [InlineData("5\rhello\r\n")]
    [InlineData("5\r\r\nhello\r\n")]
    [InlineData("5\r\nhelloX\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r0\r\n\r\n")]
    [InlineData("5;a\nb\r\nhello\r\n")]
    [InlineData("5;a\rb\r\nhello\r\n")]
    [InlineData("5 6\r\nhello\r\n")]
    [InlineData("FFFFFFFFFFFFFFFFF\r\n")]
    [InlineData("8000000000000000\r\n")]
    [InlineData("0\r\nA: b\n\r\n")]
    [InlineData("0\r\n\n")]
    public void TryDecode_BrokenCoding_IsRefusedHoweverCut(string coded)
    {
        byte[] all = Encoding.ASCII.GetBytes(coded);
        for (int cut = 0; cut <= coded.Length; cut++)
        {
            Assert.False(Decode(all, cut).IsSound);
        }
    }

    [Fact]
    public void TryDecode_MoreThanTheLimits_IsRefused()
    {
        Assert.False(Decode(Encoding.ASCII.GetBytes("5;" + new string('x', ChunkedCoding.SizeLineBytesMax))).IsSound);
        Assert.False(Decode(Encoding.ASCII.GetBytes("0\r\nA: " + new string('x', ChunkedCoding.TrailerBytesMax))).IsSound);
        Assert.True(Decode(Encoding.ASCII.GetBytes("0\r\nA: " + new string('x', ChunkedCoding.TrailerBytesMax - 100))).IsSound);
    }

    /// <summary>Broken at one byte it is refused, or it is another sound coding; and which of them does not depend on how it is cut.</summary>
    [Fact]
    public void TryDecode_MutatedAndCut_AgreesWithItself()
    {
        Random random = new(5);
        byte[] sound = "5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: b\r\n\r\n"u8.ToArray();
        ReadOnlySpan<byte> favourites = "\r\n; 0aF:\0"u8;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = [.. sound];
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? favourites[random.Next(favourites.Length)] : (byte)random.Next(256);
            }

            (string Plain, string After, bool IsSound) whole = Decode(bytes);
            (string Plain, string After, bool IsSound) cut = Decode(bytes, [.. Enumerable.Range(0, 4).Select(_ => random.Next(bytes.Length)).Order()]);
            Assert.Equal(whole.IsSound, cut.IsSound);
            if (whole.IsSound)
            {
                Assert.Equal(whole, cut);
            }
        }
    }

    [Fact]
    public void TryDecode_OneChunkAtATime_MovesNothing()
    {
        ChunkedCoding decoder = new();
        decoder.Begin();
        byte[] bytes = "5\r\nhello\r\n"u8.ToArray();
        int start = 0, decoded = 0, coded = 0;

        Assert.True(decoder.TryDecode(bytes, ref start, ref decoded, ref coded));

        Assert.Equal((3, 8, 10), (start, decoded, coded));
        Assert.Equal("5\r\nhello\r\n"u8.ToArray(), bytes);
    }

    /// <summary>Decodes piece by piece in one buffer, taking what was decoded out of it after every other piece.</summary>
    private static (string Plain, string After, bool IsSound) Decode(byte[] all, params int[] cuts)
    {
        ChunkedCoding decoder = new();
        decoder.Begin();
        byte[] buffer = [.. all];
        StringBuilder plain = new();
        int start = 0, decoded = 0, coded = 0, piece = 0;
        foreach (int end in (int[])[.. cuts, all.Length])
        {
            if (!decoder.TryDecode(buffer.AsSpan(0, end), ref start, ref decoded, ref coded))
            {
                return (plain.ToString(), "", false);
            }

            if (piece++ % 2 == 0)
            {
                plain.Append(Encoding.ASCII.GetString(buffer.AsSpan(start, decoded - start)));
                start = decoded;
            }
        }

        plain.Append(Encoding.ASCII.GetString(buffer.AsSpan(start, decoded - start)));
        return (plain.ToString(), Encoding.ASCII.GetString(buffer.AsSpan(coded)), true);
    }
}
