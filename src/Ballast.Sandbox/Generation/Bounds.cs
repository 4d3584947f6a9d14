using System.Text.Json;

namespace Ballast.Sandbox.Generation;

/// <summary>The least and greatest number that a schema lets through, both inclusive, and the step between numbers (0 for none).</summary>
internal readonly record struct Bounds(double Low, double High, double Step)
{
    /// <summary>Numbers without a bound stay within this of zero.</summary>
    private const double Wide = 1e15;

    private const double Smallest = 1e-6;

    public bool Contains(double value) =>
        value >= Low && value <= High && (Step == 0 || Math.Abs(Math.IEEERemainder(value, Step)) < Smallest * Step);

    /// <summary>The nearest number that is let through.</summary>
    public double Nearest(double value)
    {
        double clamped = Math.Clamp(value, Low, Math.Max(Low, High));
        if (Step == 0)
        {
            return clamped;
        }

        double stepped = Math.Round(clamped / Step) * Step;
        return stepped < Low ? Math.Ceiling(Low / Step) * Step : stepped > High ? Math.Floor(High / Step) * Step : stepped;
    }

    public static Bounds Of(JsonElement schema, bool isInteger)
    {
        double nudge = isInteger ? 1 : Smallest;
        double low = Math.Max(Read(schema, "minimum", -Wide), OverExclusive(schema, "exclusiveMinimum", -Wide, nudge, isInteger));
        double high = Math.Min(Read(schema, "maximum", Wide), OverExclusive(schema, "exclusiveMaximum", Wide, -nudge, isInteger));
        double step = Read(schema, "multipleOf", 0);
        return isInteger
            ? new Bounds(Math.Ceiling(low), Math.Floor(high), step > 0 ? Math.Max(1, step) : 0)
            : new Bounds(low, high, step);
    }

    public static long Whole(JsonElement schema, string keyword, long otherwise) =>
        schema.TryGetProperty(keyword, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            ? (long)value.GetDouble()
            : otherwise;

    private static double OverExclusive(JsonElement schema, string keyword, double otherwise, double nudge, bool isInteger)
    {
        double bound = Read(schema, keyword, double.NaN);
        return double.IsNaN(bound) ? otherwise
            : !isInteger ? bound + nudge
            : nudge > 0 ? Math.Floor(bound) + 1
            : Math.Ceiling(bound) - 1;
    }

    private static double Read(JsonElement schema, string keyword, double otherwise) =>
        schema.TryGetProperty(keyword, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : otherwise;
}
