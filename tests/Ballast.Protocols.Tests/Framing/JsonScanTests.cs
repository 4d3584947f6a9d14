using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Tests.Fuzz;

namespace Ballast.Protocols.Tests.Framing;

/// <summary>The framework's own reader is the yardstick: the same texts accepted, the same refused, the same values at the same places.</summary>
public class JsonScanTests
{
    private const int DepthMax = 64;

    private static readonly IReadOnlyList<string> s_seeds =
    [
        .. new[] { "openai-chat", "anthropic-messages" }.SelectMany(protocol => new[] { "request", "response", "error" }.SelectMany(section => Mutant.Seeds(protocol, section))),
    ];

    public static TheoryData<string> Odd() =>
    [
        "", " ", "{}", "[]", " {} ", "{ }", "[ ]", "{} {}", "{},", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1}", "{]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}",
        "{\"a\":1 \"b\":2}", "{a:1}", "{'a':1}", "{\"a\":1}}", "[[]", "[", "{", "{\"a\":", "\"", "\"a", "\"\\", "\"\\\"", "\"\\u", "\"\\u12", "\"\\u123\"", "\"\\u12g4\"",
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\x\"", "\"\\a\"", "\"\\/\"", "\"\u007f\"", "\"\u0001\"", "\"\n\"", "\"\t\"", "\"\0\"", "\0", "{\"a\"\0:1}", "tru", "true", "truer", "True",
        "nul", "null", "nulll", "false", "fals", "[truefalse]", "[true false]", "0", "-", "-0", "00", "01", "-01", "1.", ".5", "1.5", "1.5.5", "1e", "1e+", "1e-", "1e5", "1E+05", "1e5e5",
        "+1", "0x1", "1_0", "Infinity", "NaN", "-Infinity", "[0,-0,1e400,123456789012345678901234567890]", "//a", "/*a*/1", "1//a", "\uFEFF{}", "{\"a\":1\u00a0}", "\u000b1", "\f1",
        "{\"\":0}", "{\"a\":{\"b\":[{\"c\":null}]}}", "[\"\\\\\"]", "[\"\\\\\\\"]", "\"😀\"", "\"\\ud83d\\ude00\"", "é", "{\"é\":\"日本\"}", "\"ab\u0080\"", "1 ", " 1", "1\n", "\r\n\t 1",
    ];

    [Theory]
    [MemberData(nameof(Odd))]
    public void Skip_OddText_IsJudgedAsByTheFramework(string text) => Compare(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void Skip_BentBodies_AreJudgedAsByTheFramework()
    {
        for (int seed = 0; seed < 20_000; seed++)
        {
            Compare(Mutant.OfBody(new Dice(seed), s_seeds));
        }
    }

    [Fact]
    public void Skip_EveryCutOfABody_IsJudgedAsByTheFramework()
    {
        foreach (string seed in s_seeds)
        {
            byte[] body = Encoding.UTF8.GetBytes(seed);
            for (int length = 0; length < Math.Min(body.Length, 600); length++)
            {
                Compare(body.AsSpan(0, length));
            }
        }
    }

    /// <summary>Strings are passed sixteen and sixty-four bytes at a time: whatever ends or breaks them is met at every place in such a block.</summary>
    [Fact]
    public void Text_StopAtEveryPlace_IsFound()
    {
        foreach (string stop in (string[])["", "\\n", "\\\"", "\\u00e9", "\\u00g9", "\\", "\n", "\0", "\u001f", "\u007f", "é", "日", "\"", "ballast-thinking:"])
        {
            for (int before = 0; before < 170; before++)
            {
                foreach (int after in (int[])[0, 1, 15, 16, 17, 63, 64, 65, 130])
                {
                    string text = $"[\"{new string('a', before)}{stop}{new string('b', after)}\",1]";
                    Compare(Encoding.UTF8.GetBytes(text));
                }
            }
        }
    }

    [Fact]
    public void Text_BytesThatAreNoText_AreToldByIsAscii()
    {
        for (int before = 0; before < 140; before++)
        {
            byte[] json = [(byte)'"', .. Enumerable.Repeat((byte)'a', before), 0xC3, .. Enumerable.Repeat((byte)'b', 70), (byte)'"'];
            JsonScan scan = new(json, DepthMax);
            scan.Skip();
            scan.End();
            Assert.False(scan.IsAscii, $"{before}");
        }
    }

    [Theory]
    [InlineData("[\"ballast-thinking:anthropic:c2ln\"]", true)]
    [InlineData("{\"a\":{\"signature\":\"ballast-thinking:\"}}", true)]
    [InlineData("[\"as in ballast-thinking:anthropic\"]", false)]
    [InlineData("[\"ballast-thinkin\"]", false)]
    public void Skip_MarkAtAStringsBeginning_IsSeen(string json, bool expected)
    {
        JsonScan scan = new(Encoding.UTF8.GetBytes(json), DepthMax);
        scan.Skip();
        Assert.Equal(expected, scan.HasForeignThinking);
    }

    [Theory]
    [InlineData(DepthMax, false)]
    [InlineData(DepthMax + 1, true)]
    public void Skip_DeepText_IsRefusedAtTheFrameworksDepth(int depth, bool isTooDeep)
    {
        byte[] json = Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth));
        Compare(json);
        JsonScan scan = new(json, DepthMax);
        try
        {
            scan.Skip();
        }
        catch (JsonException)
        {
            Assert.True(isTooDeep);
        }

        Assert.Equal(isTooDeep, scan.IsTooDeep);
    }

    private static void Compare(ReadOnlySpan<byte> json)
    {
        string expected = ByFramework(json);
        string scanned = ByScan(json, out bool isAscii);
        Assert.True(expected == scanned, $"{Encoding.UTF8.GetString(json)}\nframework: {expected}\nscan:      {scanned}");
        Assert.True(!isAscii || scanned == Refused || Utf8.IsValid(json), Encoding.UTF8.GetString(json));
    }

    private const string Refused = "refused";

    private static string ByFramework(ReadOnlySpan<byte> json)
    {
        StringBuilder told = new();
        Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = DepthMax });
        try
        {
            while (reader.Read())
            {
                _ = reader.TokenType switch
                {
                    JsonTokenType.PropertyName => Tell(told, 'p', (int)reader.TokenStartIndex + 1, reader.ValueSpan.Length, reader.ValueIsEscaped),
                    JsonTokenType.String => Tell(told, '"', (int)reader.TokenStartIndex + 1, reader.ValueSpan.Length, reader.ValueIsEscaped),
                    JsonTokenType.Number => Tell(told, '0', (int)reader.TokenStartIndex, reader.ValueSpan.Length, reader.TryGetInt64(out _)),
                    _ => Tell(told, (char)json[(int)reader.TokenStartIndex], (int)reader.TokenStartIndex, 0, false),
                };
            }

            return told.ToString();
        }
        catch (JsonException)
        {
            return Refused;
        }
    }

    private static string ByScan(ReadOnlySpan<byte> json, out bool isAscii)
    {
        StringBuilder told = new();
        JsonScan scan = new(json, DepthMax);
        try
        {
            Walk(ref scan, told);
            scan.End();
            isAscii = scan.IsAscii;
            return told.ToString();
        }
        catch (JsonException)
        {
            isAscii = scan.IsAscii;
            return Refused;
        }
    }

    private static void Walk(ref JsonScan scan, StringBuilder told)
    {
        byte first = scan.First();
        int start = scan.Start();
        switch (first)
        {
            case (byte)'{':
                Tell(told, '{', start, 0, false);
                scan.EnterObject();
                while (scan.NextField())
                {
                    Tell(told, 'p', scan.NameSpan.Start, scan.NameSpan.Length, scan.IsEscaped);
                    Walk(ref scan, told);
                }

                Tell(told, '}', scan.Since(start).End - 1, 0, false);
                break;
            case (byte)'[':
                Tell(told, '[', start, 0, false);
                scan.EnterArray();
                while (scan.NextItem())
                {
                    Walk(ref scan, told);
                }

                Tell(told, ']', scan.Since(start).End - 1, 0, false);
                break;
            case (byte)'"':
                int length = scan.Text().Length;
                Tell(told, '"', start + 1, length, scan.IsEscaped);
                break;
            case (byte)'t' or (byte)'f' or (byte)'n':
                scan.Skip();
                Tell(told, (char)first, start, 0, false);
                break;
            default:
                bool isInteger = scan.Integer() is not null;
                Tell(told, '0', start, scan.Since(start).Length, isInteger);
                break;
        }
    }

    private static bool Tell(StringBuilder told, char kind, int start, int length, bool mark)
    {
        told.Append(CultureInfo.InvariantCulture, $"{kind}{start}+{length}{(mark ? "*" : "")} ");
        return true;
    }
}
