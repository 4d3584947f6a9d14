using Ballast.Ledger;
using CsCheck;

namespace Ballast.Tests.Ledger;

public sealed class PicodollarsTests
{
    [Fact]
    public void FromDollars_AnyWholePicodollars_ComeBackExactly() =>
        Gen.Long[-long.MaxValue, long.MaxValue].Sample(pico => Assert.Equal(pico, Picodollars.FromDollars(Picodollars.ToDollars(pico))));

    /// <summary>Whatever way an amount takes, with few digits or many, it is what decimals' own rounding says.</summary>
    [Fact]
    public void FromDollars_AnyAmount_IsRoundedHalfToEven() =>
        Gen.Select(Gen.Int, Gen.Int, Gen.OneOf(Gen.Const(0), Gen.Int), Gen.Bool, Gen.Byte[0, 28]).Sample((low, middle, high, isNegative, places) =>
        {
            decimal dollars = new(low, middle, high, isNegative, places);
            decimal most = (decimal)long.MaxValue / Picodollars.PerDollar;
            Assert.Equal((long)decimal.Round(Math.Clamp(dollars, -most, most) * Picodollars.PerDollar, 0, MidpointRounding.ToEven), Picodollars.FromDollars(dollars));
        });

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
