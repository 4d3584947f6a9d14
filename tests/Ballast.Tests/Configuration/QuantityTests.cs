using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class QuantityTests
{
    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5000)]
    [InlineData("1.5s", 1500)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("0s", 0)]
    public void TryDuration_Sound_GivesTheTime(string text, int milliseconds)
    {
        Assert.True(Quantity.TryDuration(text, out TimeSpan value));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("5")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("1e3s")]
    [InlineData("NaNs")]
    [InlineData("Infinitys")]
    [InlineData("99999999999h")]
    public void TryDuration_Unsound_Refuses(string text) => Assert.False(Quantity.TryDuration(text, out _));

    [Theory]
    [InlineData("7", 7)]
    [InlineData("7B", 7)]
    [InlineData("64KiB", 65536)]
    [InlineData("1.5MiB", 1_572_864)]
    [InlineData("1GiB", 1_073_741_824)]
    public void TrySize_Sound_GivesBytes(string text, long bytes)
    {
        Assert.True(Quantity.TrySize(text, out long value));
        Assert.Equal(bytes, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("KiB")]
    [InlineData("-1")]
    [InlineData("1MB")]
    [InlineData("1 MiB")]
    [InlineData("NaN")]
    [InlineData("99999999999GiB")]
    public void TrySize_Unsound_Refuses(string text) => Assert.False(Quantity.TrySize(text, out _));
}
