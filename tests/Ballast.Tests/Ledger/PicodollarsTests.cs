using Ballast.Ledger;
using CsCheck;

namespace Ballast.Tests.Ledger;

public sealed class PicodollarsTests
{
    [Fact]
    public void FromDollars_AnyWholePicodollars_ComeBackExactly() =>
        Gen.Long[-long.MaxValue, long.MaxValue].Sample(pico => Assert.Equal(pico, Picodollars.FromDollars(Picodollars.ToDollars(pico))));

    [Fact]
    public void ToDollars_SumInTwoParts_EqualsTheWhole() =>
        Gen.Long.Sample(pico => Assert.Equal(
            Picodollars.ToDollars(pico),
            Picodollars.ToDollars(pico / Picodollars.PerMicrodollar, pico % Picodollars.PerMicrodollar)));

    [Fact]
    public void FromDollars_BeyondSixtyFourBits_IsCut()
    {
        Assert.Equal(long.MaxValue, Picodollars.FromDollars(decimal.MaxValue));
        Assert.Equal(-long.MaxValue, Picodollars.FromDollars(decimal.MinValue));
    }
}
