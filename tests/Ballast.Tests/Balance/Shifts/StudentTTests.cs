using Ballast.Balance.Shifts;

namespace Ballast.Tests.Balance.Shifts;

public class StudentTTests
{
    /// <summary>Critical values as every printed table of the distribution has them (two-sided probability, degrees of freedom, value).</summary>
    [Theory]
    [InlineData(0.05, 1, 12.706)]
    [InlineData(0.05, 2, 4.303)]
    [InlineData(0.05, 5, 2.571)]
    [InlineData(0.05, 10, 2.228)]
    [InlineData(0.05, 30, 2.042)]
    [InlineData(0.05, 120, 1.980)]
    [InlineData(0.01, 5, 4.032)]
    [InlineData(0.01, 20, 2.845)]
    [InlineData(0.001, 3, 12.924)]
    [InlineData(0.001, 5, 6.869)]
    [InlineData(0.001, 10, 4.587)]
    [InlineData(0.001, 20, 3.850)]
    [InlineData(0.001, 40, 3.551)]
    [InlineData(0.001, 120, 3.373)]
    [InlineData(0.10, 15, 1.753)]
    public void Critical_PublishedTables_AreMet(double probability, double degrees, double published) =>
        Assert.Equal(published, StudentT.Critical(probability, degrees), tolerance: 0.0006);

    /// <summary>For one and two degrees of freedom the tail has a closed form.</summary>
    [Theory]
    [InlineData(0.1)]
    [InlineData(1)]
    [InlineData(3.7)]
    [InlineData(40)]
    [InlineData(1e4)]
    public void TwoSided_OneAndTwoDegrees_AreTheClosedForms(double t)
    {
        Assert.Equal(1 - (2 / Math.PI * Math.Atan(t)), StudentT.TwoSided(t, 1), tolerance: 1e-12);
        Assert.Equal(1 - (t / Math.Sqrt((t * t) + 2)), StudentT.TwoSided(-t, 2), tolerance: 1e-12);
    }

    [Fact]
    public void TwoSided_ManyDegrees_ComesToTheNormal()
    {
        Assert.Equal(0.05, StudentT.TwoSided(1.959963985, 1e7), tolerance: 1e-6);
        Assert.Equal(0.001, StudentT.TwoSided(3.290526731, 1e7), tolerance: 1e-7);
        Assert.Equal(1, StudentT.TwoSided(0, 8), tolerance: 1e-12);
        Assert.Equal(0, StudentT.TwoSided(double.PositiveInfinity, 8));
    }
}
