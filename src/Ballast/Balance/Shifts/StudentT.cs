namespace Ballast.Balance.Shifts;

/// <summary>Student's t distribution.</summary>
public static class StudentT
{
    private const int StepsMax = 10_000;
    private const double Precision = 1e-15;
    private const double Tiny = 1e-300;

    /// <summary>
    /// How probable a value is that lies as far from zero as this one, or farther, on either side. By the incomplete beta function (NIST DLMF 8.17.22: its continued
    /// fraction, evaluated by Lentz's method).
    /// </summary>
    /// <param name="t">The value.</param>
    /// <param name="degrees">Degrees of freedom, above zero; they need not be whole.</param>
    public static double TwoSided(double t, double degrees)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degrees);
        return double.IsNaN(t) ? double.NaN : double.IsInfinity(t) ? 0 : Beta(degrees / (degrees + (t * t)), degrees / 2, 0.5);
    }

    /// <summary>The value that is exceeded on either side with this probability.</summary>
    public static double Critical(double probability, double degrees)
    {
        double low = 0;
        double high = 1;
        while (TwoSided(high, degrees) > probability && high < 1e12)
        {
            high *= 2;
        }

        for (int step = 0; step < 200 && high - low > 1e-12 * high; step++)
        {
            double middle = (low + high) / 2;
            (low, high) = TwoSided(middle, degrees) > probability ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    /// <summary>The regularised incomplete beta function.</summary>
    private static double Beta(double x, double a, double b)
    {
        if (x is <= 0 or >= 1)
        {
            return Math.Clamp(x, 0, 1);
        }

        double front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * Math.Log(1 - x)));
        return x < (a + 1) / (a + b + 2) ? front * Fraction(x, a, b) / a : 1 - (front * Fraction(1 - x, b, a) / b);
    }

    private static double Fraction(double x, double a, double b)
    {
        double c = 1;
        double d = Away(1 - ((a + b) * x / (a + 1)));
        d = 1 / d;
        double value = d;
        for (int step = 1; step <= StepsMax; step++)
        {
            double even = step * (b - step) * x / ((a + (2 * step) - 1) * (a + (2 * step)));
            d = 1 / Away(1 + (even * d));
            c = Away(1 + (even / c));
            value *= d * c;
            double odd = -(a + step) * (a + b + step) * x / ((a + (2 * step)) * (a + (2 * step) + 1));
            d = 1 / Away(1 + (odd * d));
            c = Away(1 + (odd / c));
            value *= d * c;
            if (Math.Abs((d * c) - 1) < Precision)
            {
                break;
            }
        }

        return value;
    }

    private static double Away(double value) => Math.Abs(value) < Tiny ? Tiny : value;

    /// <summary>Stirling's series (NIST DLMF 5.11.1), after the argument has been moved to where it is exact to the last digits.</summary>
    private static double LogGamma(double x)
    {
        double shift = 0;
        for (; x < 15; x++)
        {
            shift += Math.Log(x);
        }

        double r = 1 / (x * x);
        double series = ((((((((-691.0 / 360360) * r) + (1.0 / 1188)) * r) - (1.0 / 1680)) * r + (1.0 / 1260)) * r - (1.0 / 360)) * r + (1.0 / 12)) / x;
        return ((x - 0.5) * Math.Log(x)) - x + (0.5 * Math.Log(2 * Math.PI)) + series - shift;
    }
}
