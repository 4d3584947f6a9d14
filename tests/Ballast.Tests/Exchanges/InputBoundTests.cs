using System.Text;
using Ballast.Exchanges;

namespace Ballast.Tests.Exchanges;

public class InputBoundTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 1)]
    [InlineData(30_000, 10_000)]
    public void Of_Text_IsAThirdOfItsBytes(int bytes, long tokens) => Assert.Equal(tokens, InputBound.Of(Encoding.UTF8.GetBytes(new string('a', bytes))));

    [Theory]
    [InlineData("data:image/png;base64,", "iVBORw0KGgo")]
    [InlineData("", "/9j/")]
    [InlineData("data:image/gif;base64,", "R0lGOD")]
    [InlineData("", "UklGR")]
    public void Of_Picture_IsWhatPicturesCost(string before, string magic)
    {
        string picture = before + magic + new string('A', 900_000);

        Assert.InRange(InputBound.Of(Encoding.UTF8.GetBytes($$"""{"a":"{{picture}}","b":"{{picture}}","c":"words"}""")), 2 * 1600, (2 * 1600) + 40);
    }

    [Fact]
    public void Of_LettersOfAPictureInsideOfSomethingElse_ArePartOfIt()
    {
        string document = "JVBERi0" + new string('A', 60_000) + "/9j/" + new string('A', 60_000);

        Assert.InRange(InputBound.Of(Encoding.UTF8.GetBytes($$"""{"a":"{{document}}"}""")), 40_000, 40_020);
    }

    [Fact]
    public void Of_PictureThatDoesNotEnd_IsOnePicture() => Assert.Equal(1600 + 2, InputBound.Of(Encoding.UTF8.GetBytes("{\"a\":\"" + "iVBORw0KGgo" + new string('A', 90_000))));
}
