using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class InterpolationTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("${A}", "one")]
    [InlineData("x${A}y${A}z", "xoneyonez")]
    [InlineData("${EMPTY}", "")]
    [InlineData("${EMPTY:-d}", "d")]
    [InlineData("${NONE:-}", "")]
    [InlineData("${NONE:-a:-b}", "a:-b")]
    [InlineData("$$", "$")]
    [InlineData("$${A}", "${A}")]
    [InlineData("$$$${A}", "$${A}")]
    [InlineData("$A $5 $", "$A $5 $")]
    [InlineData("${TRICKY}", "${A}")]
    public void TryExpand_Sound_GivesTheText(string text, string expected)
    {
        Assert.True(Interpolation.TryExpand(text, Environment, out string result, out _));
        Assert.Equal(expected, result);
    }

    [Theory]
    [InlineData("${NONE}", "environment variable NONE is not set")]
    [InlineData("${A", "'${' is never closed")]
    [InlineData("${}", "'${…}' does not hold the name of an environment variable")]
    [InlineData("${1A}", "'${…}' does not hold the name of an environment variable")]
    [InlineData("${A B}", "'${…}' does not hold the name of an environment variable")]
    public void TryExpand_Unsound_SaysWhy(string text, string message)
    {
        Assert.False(Interpolation.TryExpand(text, Environment, out _, out string said));
        Assert.Equal(message, said);
    }

    [Theory]
    [InlineData("${A}", "A")]
    [InlineData("${A:-x}", null)]
    [InlineData("a${A}", null)]
    [InlineData("${A}${A}", null)]
    public void SoleVariable_OnlyAVariable_GivesItsName(string text, string? name) => Assert.Equal(name, Interpolation.SoleVariable(text));

    private static string? Environment(string name) => name switch
    {
        "A" => "one",
        "EMPTY" => "",
        "TRICKY" => "${A}",
        _ => null,
    };
}
