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
        UpstreamHeaders headers = new();

        Assert.Throws<InvalidOperationException>(() => HeaderWriter.Add(headers, "x-test", value));
        Assert.Empty(headers);
    }

    [Fact]
    public void Add_PlainValue_IsSent()
    {
        UpstreamHeaders headers = new();

        HeaderWriter.Add(headers, "x-test", "a b\tc");

        Assert.Equal([new("x-test", "a b\tc")], headers);
        Assert.Equal("a b\tc", headers.Find("X-Test"));
    }
}
