using System.Text.Json;

namespace Ballast.Protocols.Tests;

public class FreeTextInputTests
{
    public static TheoryData<string, string> Arguments() => new()
    {
        { """{"input":"plain"}""", "plain" },
        { "{\n \"input\" :\t\"a\\nb\\t\\\"c\\\"\\\\ \\/ \\b\\f\\r\"\n}", "a\nb\t\"c\"\\ / \b\f\r" },
        { """{"input":"\u00fc 😀 \uD83D\uDE00 \ud83d\uDE00x"}""", "ü 😀 😀 😀x" },
        { """{"input":"\ud83d \ude00 \ud83d\ud83d\ude00"}""", "\uFFFD \uFFFD \uFFFD😀" },
        { """{"input":""}""", "" },
        { "", "" },
        { "{}", "{}" },
        { "  not JSON ", "  not JSON " },
        { "*** Begin Patch", "*** Begin Patch" },
        { """{"input":7}""", """{"input":7}""" },
        { """{"text":"x"}""", """{"text":"x"}""" },
        { """{"why":{"input":1},"input":"later\n"}""", "later\n" },
        { """{"\u0069nput":"named oddly"}""", "named oddly" },
        { """{"in put":"x"}""", """{"in put":"x"}""" },
        { """["input","x"]""", """["input","x"]""" },
        { """{"input":"first","more":"ignored"}""", "first" },
        { """{"input":"cut short""", "cut short" },
        { """{"input":"cut in an escape\u00""", "cut in an escape" },
        { """{"input":"cut in a pair\ud83d""", "cut in a pair" },
        { """{"input":"C:\dir \u12zz \q\"end"}""", "C:\\dir \\u12zz \\q\"end" },
        { "{\"input\":\"raw\nline\"}", "raw\nline" },
        { """{"inp""", """{"inp""" },
    };

    [Theory]
    [MemberData(nameof(Arguments))]
    public void Take_HoweverItIsCut_GivesTheSameText(string arguments, string expected)
    {
        for (int size = 1; size <= Math.Max(1, arguments.Length); size++)
        {
            FreeTextInput input = new();
            string told = string.Concat(arguments.Chunk(size).Select(piece => input.Take(new string(piece)))) + input.End();
            Assert.True(expected == told, $"pieces of {size}: {JsonSerializer.Serialize(told)}");
        }
    }

    [Fact]
    public void Take_Text_IsToldAsItComes()
    {
        FreeTextInput input = new();
        Assert.Equal("", input.Take("{\"input\":"));
        Assert.Equal("one", input.Take("\"one"));
        Assert.Equal(" two", input.Take(" two\\"));
        Assert.Equal("\n", input.Take("n\""));
        Assert.False(input.IsEnded);
        Assert.Equal("", input.Take("}"));
        Assert.True(input.IsEnded);
    }

    [Fact]
    public void Take_OtherFormBeyondTheLimit_GoesOnAsItIs()
    {
        FreeTextInput input = new();
        string arguments = "[" + new string('x', FreeTextInput.HeldLengthMax + 7) + "\\";
        string told = string.Concat(arguments.Chunk(1000).Select(piece => input.Take(new string(piece))));
        Assert.Equal(arguments, told);
        Assert.Equal("", input.End());
    }
}
