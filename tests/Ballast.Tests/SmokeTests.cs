namespace Ballast.Tests;

public class SmokeTests
{
    [Fact]
    public void True_Always_Holds() => Assert.True(true);
}
