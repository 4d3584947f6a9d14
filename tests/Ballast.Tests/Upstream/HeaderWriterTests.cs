using Ballast.Upstream;

namespace Ballast.Tests.Upstream;

public class HeaderWriterTests
{
    [Theory]
    [InlineData("a\r\nx-evil: 1")]
    [InlineData("a\nb")]
    [InlineData("a\rb")]
    [InlineData("a\0b")]
    [InlineData("caf\u00e9")]
    public void Add_ControlOrForeignCharacters_Throws(string value)
    {
        using HttpRequestMessage request = new();

        Assert.Throws<InvalidOperationException>(() => HeaderWriter.Add(request.Headers, "x-test", value));
        Assert.Empty(request.Headers);
    }

    [Fact]
    public void Add_PlainValue_IsSent()
    {
        using HttpRequestMessage request = new();

        HeaderWriter.Add(request.Headers, "x-test", "a b\tc");

        Assert.Equal(["a b\tc"], request.Headers.GetValues("x-test"));
    }
}
