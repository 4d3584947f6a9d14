namespace Ballast.Balance.Shifts;

/// <summary>
/// Whether two samples have the same mean, their spreads being what they are (Welch, Biometrika 1947; degrees of freedom by Satterthwaite).
/// </summary>
/// <param name="Before">Mean of the first sample.</param>
/// <param name="After">Mean of the second one.</param>
/// <param name="Probability">Of a difference as large as this or larger where there is none; 1 where it cannot be told.</param>
/// <param name="Low">95 % interval of the difference.</param>
/// <param name="High">95 % interval of the difference.</param>
public readonly record struct WelchTest(double Before, double After, double Probability, double Low, double High)
{
    private const double IntervalProbability = 0.05;

    public static WelchTest Of(IReadOnlyList<double> before, IReadOnlyList<double> after)
    {
        if (before.Count < 2 || after.Count < 2)
        {
            return new WelchTest(Mean(before), Mean(after), 1, double.NegativeInfinity, double.PositiveInfinity);
        }

        double left = Mean(before);
        double right = Mean(after);
        double leftError = Variance(before, left) / before.Count;
        double rightError = Variance(after, right) / after.Count;
        double error = leftError + rightError;

        // Sums of rounded figures are never quite alike: below this, nothing varies.
        if (error <= 1e-24 * Math.Max(left * left, right * right))
        {
            bool isSame = Math.Abs(right - left) <= 1e-9 * Math.Max(Math.Abs(left), Math.Abs(right));
            return new WelchTest(left, right, isSame ? 1 : 0, right - left, right - left);
        }

        double degrees = error * error / ((leftError * leftError / (before.Count - 1)) + (rightError * rightError / (after.Count - 1)));
        double margin = StudentT.Critical(IntervalProbability, degrees) * Math.Sqrt(error);
        return new WelchTest(left, right, StudentT.TwoSided((right - left) / Math.Sqrt(error), degrees), right - left - margin, right - left + margin);
    }

    private static double Mean(IReadOnlyList<double> values) => values.Count == 0 ? double.NaN : values.Average();

    private static double Variance(IReadOnlyList<double> values, double mean) => values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
}
