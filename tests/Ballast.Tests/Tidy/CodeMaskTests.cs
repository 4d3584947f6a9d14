namespace Ballast.Tests.Tidy;

public sealed class CodeMaskTests
{
    [Theory]
    [InlineData("a // {", "a     ")]
    [InlineData("a /* { */ b", "a         b")]
    [InlineData("x = \"{ \\\" {\";", "x =         ;")]
    [InlineData("x = @\"{ \"\" {\\\";", "x =           ;")]
    [InlineData("x = @\"\"; {", "x =    ; {")]
    [InlineData("x = '{'; y = '\\''; {", "x =    ; y =     ; {")]
    [InlineData("x = '\"'; {", "x =    ; {")]
    [InlineData("x = \"\"\"{ \"\" { \"\"\"; }", "x =              ; }")]
    [InlineData("x = \"\"\"\"{ \"\"\" {\"\"\"\"; }", "x =                ; }")]
    [InlineData("x = $\"{a(\"}\")} {{ {b}\"; }", "x =                   ; }")]
    [InlineData("x = $@\"{a}\"\"{{\"; }", "x =            ; }")]
    [InlineData("x = $$\"\"\"{ {{a(\"}}\")}} }\"\"\"; }", "x =                        ; }")]
    [InlineData("#if X {\ny", "       \ny")]
    [InlineData("@class = 1;", "@class = 1;")]
    [InlineData("\"a\"u8;", "   u8;")]
    public void Apply_NonCode_BlanksItAndKeepsTheRest(string source, string expected) => Assert.Equal(expected, CodeMask.Apply(source));

    [Fact]
    public void Apply_EveryFileHere_LeavesBalancedBraces() =>
        Assert.All(Repository.SourceFiles, file => Assert.Equal(file.Code.Count(c => c == '{'), file.Code.Count(c => c == '}')));
}
