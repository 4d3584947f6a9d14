namespace Ballast.Bench;

/// <summary>Measured values by name (<c>json.nginx</c>), one for each round, in the order of the rounds.</summary>
public sealed class Samples
{
    private readonly Dictionary<string, List<double>> _values = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => _values.Keys;

    public void Add(string name, double value)
    {
        if (!_values.TryGetValue(name, out List<double>? list))
        {
            _values.Add(name, list = []);
        }

        list.Add(value);
    }

    public IReadOnlyList<double> Of(string name) => _values.TryGetValue(name, out List<double>? list) ? list : [];

    public double? Median(string name) => Median(Of(name));

    /// <summary>The median of the rounds' own ratios: what disturbs one round disturbs both sides of it.</summary>
    public double? Ratio(string above, string below) => Median([.. Of(above).Zip(Of(below), (a, b) => a / b)]);

    /// <summary>How far the rounds lie apart, as a share of their median.</summary>
    public double? Spread(string name) => Of(name) is { Count: > 0 } values ? (values.Max() - values.Min()) / Median(values) : null;

    /// <summary>How far the middle half of many values lies apart, as a share of their median.</summary>
    public double? MiddleSpread(string name)
    {
        double[] sorted = [.. Of(name).Order()];
        return sorted.Length == 0 ? null : (sorted[sorted.Length - 1 - (sorted.Length / 4)] - sorted[sorted.Length / 4]) / Median(sorted);
    }

    private static double? Median(IReadOnlyList<double> values)
    {
        if (values.Count == 0)
        {
            return null;
        }

        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
