using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Ballast.Tests.Server;

/// <summary>One line of a metrics page.</summary>
internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// A strict reader of Prometheus' text format 0.0.4, stricter than Prometheus itself: every family has its HELP and TYPE once and in front of all of its samples,
/// no sample occurs twice, counters end in <c>_total</c> and are not negative, histograms add up.
/// </summary>
internal sealed partial class PrometheusText
{
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly List<Sample> _samples = [];

    private PrometheusText()
    {
    }

    public IReadOnlyDictionary<string, string> Types => _types;
    public IReadOnlyList<Sample> Samples => _samples;

    public double this[string name, params (string Name, string Value)[] labels] =>
        _samples.Single(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value)).Value;

    public static PrometheusText Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        PrometheusText page = new();
        string helped = "", family = "";
        HashSet<string> seen = [];
        foreach (string line in text[..^1].Split('\n'))
        {
            if (HelpLine().Match(line) is { Success: true } help)
            {
                helped = help.Groups["name"].Value;
            }
            else if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups["name"].Value;
                Assert.Equal(helped, family);
                Assert.True(page._types.TryAdd(family, type.Groups["type"].Value), $"{family} has two TYPE lines");
            }
            else
            {
                Match match = SampleLine().Match(line);
                Assert.True(match.Success, $"not a sample: {line}");
                Assert.True(seen.Add(match.Groups["name"].Value + match.Groups["labels"].Value), $"twice: {line}");
                string name = match.Groups["name"].Value;
                Assert.Equal(family, page._types.GetValueOrDefault(family) == "histogram" ? HistogramPart().Replace(name, "") : name);
                page._samples.Add(new Sample(name, LabelsOf(match.Groups["labels"].Value), double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture)));
            }
        }

        page.Check();
        return page;
    }

    private void Check()
    {
        foreach ((string family, string type) in _types)
        {
            Assert.Equal(type == "counter", family.EndsWith("_total", StringComparison.Ordinal));
            if (type == "histogram")
            {
                foreach (IGrouping<string, Sample> series in _samples.Where(sample => sample.Name == family + "_bucket").GroupBy(LabelsButBound))
                {
                    Sample[] buckets = [.. series];
                    Assert.Equal("+Inf", buckets[^1].Labels["le"]);
                    Assert.Equal(_samples.Single(sample => sample.Name == family + "_count" && LabelsButBound(sample) == series.Key).Value, buckets[^1].Value);
                    Assert.Equal(buckets.Select(bucket => bucket.Value).Order(), buckets.Select(bucket => bucket.Value));
                    double[] bounds = [.. buckets[..^1].Select(bucket => double.Parse(bucket.Labels["le"], CultureInfo.InvariantCulture))];
                    Assert.Equal(bounds.Order().Distinct(), bounds);
                }
            }
        }

        Assert.All(_samples, sample => Assert.True(sample.Value >= 0, sample.Name));
    }

    private static string LabelsButBound(Sample sample) => string.Join(',', sample.Labels.Where(static label => label.Key != "le").Select(static label => $"{label.Key}={label.Value}"));

    private static Dictionary<string, string> LabelsOf(string text)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        foreach (Match label in Label().Matches(text))
        {
            StringBuilder value = new();
            string raw = label.Groups["value"].Value;
            for (int at = 0; at < raw.Length; at++)
            {
                value.Append(raw[at] != '\\' ? raw[at] : raw[++at] == 'n' ? '\n' : raw[at]);
            }

            Assert.True(labels.TryAdd(label.Groups["name"].Value, value.ToString()), text);
        }

        return labels;
    }

    [GeneratedRegex(@"^# HELP (?<name>[a-z_][a-z0-9_]*) \S.*$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE (?<name>[a-z_][a-z0-9_]*) (?<type>counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-z_][a-z0-9_]*)(?:\{(?<labels>[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*)\})? (?<value>-?[0-9.]+(?:E[+-]?[0-9]+)?)$""")]
    private static partial Regex SampleLine();

    [GeneratedRegex("""(?<name>[a-z_]+)="(?<value>(?:[^"\\]|\\.)*)"(?:,|$)""")]
    private static partial Regex Label();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();
}
