using Ballast.Balance.Shifts;

namespace Ballast.Tests.Balance.Shifts;

public class WelchTestTests
{
    /// <summary>Two samples whose statistics are worked out by hand: means 10 and 13, variances 4 and 10.</summary>
    [Fact]
    public void Of_TwoSamples_IsWhatTheFormulaGives()
    {
        double[] before = [8, 9, 10, 11, 12, 7, 13, 10, 10, 10]; // mean 10, sum of squares 28, variance 28/9
        double[] after = [13, 17, 9, 13, 13, 16, 10]; // mean 13, sum of squares 50, variance 50/6

        WelchTest test = WelchTest.Of(before, after);

        double errorBefore = 28.0 / 9 / 10, errorAfter = 50.0 / 6 / 7;
        double t = 3 / Math.Sqrt(errorBefore + errorAfter);
        double degrees = Math.Pow(errorBefore + errorAfter, 2) / ((errorBefore * errorBefore / 9) + (errorAfter * errorAfter / 6));
        Assert.Equal((10.0, 13.0), (test.Before, test.After));
        Assert.Equal(StudentT.TwoSided(t, degrees), test.Probability, tolerance: 1e-12);
        Assert.InRange(test.Low, 0, 3);
        Assert.Equal(6, test.Low + test.High, tolerance: 1e-9);
    }

    /// <summary>The examples that are printed beside the method in many places, with the probabilities given there.</summary>
    [Fact]
    public void Of_PublishedExamples_HasTheirProbabilities()
    {
        double[] wide = [17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8];
        double[] narrow = [21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8, 20.7, 21.7, 21.5, 22.5, 23.6, 21.5, 22.5, 23.5, 21.5, 21.8];
        double[] few = [19.8, 20.4, 19.6, 17.8, 18.5, 18.9, 18.3, 18.9, 19.5, 22.0];
        double[] many = [28.2, 26.6, 20.1, 23.3, 25.2, 22.1, 17.7, 27.6, 20.6, 13.7, 23.2, 17.5, 20.6, 18.0, 23.9, 21.6, 24.3, 20.4, 24.0, 13.2];

        Assert.Equal(0.149, WelchTest.Of(wide, narrow).Probability, tolerance: 0.0005);
        Assert.Equal(0.036, WelchTest.Of(few, many).Probability, tolerance: 0.0005);
    }

    [Fact]
    public void Of_NothingVaries_IsCertainEitherWay()
    {
        Assert.Equal(1, WelchTest.Of([0.3, 0.1 + 0.2, 0.3], [0.3, 0.3]).Probability);
        Assert.Equal(0, WelchTest.Of([2, 2, 2], [3, 3]).Probability);
        Assert.Equal(1, WelchTest.Of([0, 0], [0, 0]).Probability);
    }

    [Fact]
    public void Of_OneValue_TellsNothing() => Assert.Equal(1, WelchTest.Of([1], [5, 5]).Probability);
}
