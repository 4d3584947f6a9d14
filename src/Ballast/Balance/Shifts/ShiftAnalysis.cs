using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance.Shifts;

/// <summary>
/// What has changed between two windows: every figure of every vendor and platform, compared by Welch's t-test over stretches of time. A stretch and not a request is
/// what is counted, since requests of one hour are alike: counting them singly would find shifts in every bad minute.
/// </summary>
public sealed class ShiftAnalysis
{
    /// <summary>A comparison that is less probable than this without a change is a shift …</summary>
    public const double ProbabilityMax = 0.001;

    /// <summary>… where the figure has also changed by this part.</summary>
    public const double ChangeMin = 0.05;

    /// <summary>Stretches with fewer requests are left out.</summary>
    public const int RequestsMin = 5;

    /// <summary>Fewer stretches in a window are too few to tell.</summary>
    public const int StretchesMin = 6;

    private static readonly (TimeSpan Window, TimeSpan Stretch)[] s_stretches =
    [
        (TimeSpan.FromDays(2), TimeSpan.FromHours(1)), (TimeSpan.FromHours(4), TimeSpan.FromMinutes(10)), (TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(1)),
    ];

    private ShiftAnalysis(IReadOnlyList<Shift> comparisons, int untold) => (Comparisons, Untold) = (comparisons, untold);

    /// <summary>All that were made, the least probable first.</summary>
    public IReadOnlyList<Shift> Comparisons { get; }

    /// <summary>Figures with too little traffic in one of the windows to be compared.</summary>
    public int Untold { get; }

    public IReadOnlyList<Shift> Found => [.. Comparisons.Where(static shift => shift.IsFound)];

    /// <summary>Shifts that so many comparisons would show, in the mean, if nothing had changed at all.</summary>
    public double FalseAlarms => Comparisons.Count * ProbabilityMax;

    /// <summary>How long a stretch is for windows of this length.</summary>
    public static TimeSpan StretchOf(TimeSpan window)
    {
        foreach ((TimeSpan from, TimeSpan stretch) in s_stretches)
        {
            if (window >= from)
            {
                return stretch;
            }
        }

        return TimeSpan.FromSeconds(10);
    }

    /// <param name="buckets">Of both windows.</param>
    /// <param name="middle">Where the second window begins.</param>
    /// <param name="shares">Who used what; tells the applications.</param>
    public static ShiftAnalysis Build(IReadOnlyList<TrafficBucket> buckets, DateTimeOffset middle, IReadOnlyList<ShareRow> shares)
    {
        Dictionary<DateTimeOffset, double> busy = buckets.GroupBy(static bucket => bucket.From).Where(static stretch => stretch.Sum(static one => one.Answered) >= RequestsMin)
            .ToDictionary(static stretch => stretch.Key, static stretch => stretch.Sum(static one => (double)one.Tokens));
        List<Shift> comparisons = [];
        int untold = 0;
        foreach ((Component subject, TrafficBucket[] own) in Subjects(buckets))
        {
            foreach (ShiftMetric metric in Enum.GetValues<ShiftMetric>())
            {
                (List<double> before, List<double> after) = metric == ShiftMetric.Share
                    ? Split(Shares(own, busy), middle)
                    : Split(own.Select(bucket => (bucket.From, Value: ValueOf(metric, bucket))), middle);
                if (before.Count >= StretchesMin && after.Count >= StretchesMin)
                {
                    comparisons.Add(Compare(subject, metric, before, after));
                }
                else
                {
                    untold++;
                }
            }
        }

        return new ShiftAnalysis([.. WithFamily(comparisons).Select(shift => shift with { Apps = AppsOf(shift.Subject, shares) })], untold);
    }

    /// <summary>Prices, times and speeds multiply: their logarithms are compared, so that a doubling and a halving weigh the same.</summary>
    public static bool IsRatio(ShiftMetric metric) => metric is ShiftMetric.InputPrice or ShiftMetric.OutputPrice or ShiftMetric.Ttft or ShiftMetric.TokensPerSecond;

    /// <summary>One figure in two windows; <see cref="Shift.FamilyProbability"/> is the comparison's own.</summary>
    public static Shift Compare(Component subject, ShiftMetric metric, IReadOnlyList<double> before, IReadOnlyList<double> after)
    {
        bool isRatio = IsRatio(metric);
        WelchTest test = isRatio ? WelchTest.Of([.. before.Select(static value => Math.Log(value))], [.. after.Select(static value => Math.Log(value))]) : WelchTest.Of(before, after);
        Func<double, double> shown = isRatio ? Math.Exp : static value => value;
        return new Shift
        {
            Subject = subject,
            Metric = metric,
            Before = shown(test.Before),
            After = shown(test.After),
            Interval = isRatio ? (shown(test.Before + test.Low), shown(test.Before + test.High)) : (Math.Max(0, test.Before + test.Low), test.Before + test.High),
            Probability = test.Probability,
            FamilyProbability = test.Probability,
            CountBefore = before.Count,
            CountAfter = after.Count,
        };
    }

    /// <summary>Vendors, then platforms, each with one bucket for a stretch.</summary>
    private static IEnumerable<(Component Subject, TrafficBucket[] Own)> Subjects(IReadOnlyList<TrafficBucket> buckets) =>
        buckets.GroupBy(static bucket => new Component(ComponentKind.Vendor, bucket.Vendor))
            .Concat(buckets.GroupBy(static bucket => new Component(ComponentKind.Platform, bucket.Platform)))
            .OrderBy(static own => own.Key.Kind).ThenBy(static own => own.Key.Name, StringComparer.Ordinal)
            .Select(static own => (own.Key, own.GroupBy(static bucket => bucket.From).OrderBy(static stretch => stretch.Key).Select(static stretch => Sum(stretch.Key, [.. stretch])).ToArray()));

    private static TrafficBucket Sum(DateTimeOffset from, TrafficBucket[] parts) => parts.Length == 1 ? parts[0] : new TrafficBucket(parts[0].Vendor, parts[0].Platform, from)
    {
        Attempts = parts.Sum(static part => part.Attempts),
        Answered = parts.Sum(static part => part.Answered),
        Errors = parts.Sum(static part => part.Errors),
        Refusals = parts.Sum(static part => part.Refusals),
        Tokens = parts.Sum(static part => part.Tokens),
        PricedInputUsd = parts.Sum(static part => part.PricedInputUsd),
        PricedOutputUsd = parts.Sum(static part => part.PricedOutputUsd),
        PricedInputTokens = parts.Sum(static part => part.PricedInputTokens),
        PricedOutputTokens = parts.Sum(static part => part.PricedOutputTokens),
        StreamedTokens = parts.Sum(static part => part.StreamedTokens),
        StreamedTime = TimeSpan.FromTicks(parts.Sum(static part => part.StreamedTime.Ticks)),
        TtftCount = parts.Sum(static part => part.TtftCount),
        TtftTime = TimeSpan.FromTicks(parts.Sum(static part => part.TtftTime.Ticks)),
    };

    private static (List<double> Before, List<double> After) Split(IEnumerable<(DateTimeOffset From, double? Value)> values, DateTimeOffset middle)
    {
        (DateTimeOffset From, double? Value)[] all = [.. values];
        return ([.. all.Where(one => one.From < middle && one.Value is not null).Select(static one => one.Value!.Value)], [.. all.Where(one => one.From >= middle && one.Value is not null).Select(static one => one.Value!.Value)]);
    }

    private static IEnumerable<(DateTimeOffset From, double? Value)> Shares(TrafficBucket[] own, Dictionary<DateTimeOffset, double> all)
    {
        Dictionary<DateTimeOffset, double> tokens = own.ToDictionary(static bucket => bucket.From, static bucket => (double)bucket.Tokens);
        return all.Where(static stretch => stretch.Value > 0).Select(stretch => (stretch.Key, (double?)(tokens.GetValueOrDefault(stretch.Key) / stretch.Value)));
    }

    private static double? ValueOf(ShiftMetric metric, TrafficBucket bucket) => metric switch
    {
        ShiftMetric.InputPrice => Positive((double)bucket.PricedInputUsd * 1e6, bucket.PricedInputTokens, bucket.Answered),
        ShiftMetric.OutputPrice => Positive((double)bucket.PricedOutputUsd * 1e6, bucket.PricedOutputTokens, bucket.Answered),
        ShiftMetric.Ttft => Positive(bucket.TtftTime.TotalSeconds, bucket.TtftCount, bucket.TtftCount),
        ShiftMetric.TokensPerSecond => Positive(bucket.StreamedTokens, bucket.StreamedTime.TotalSeconds, bucket.TtftCount),
        ShiftMetric.ErrorRate => bucket.Attempts < RequestsMin ? null : (double)bucket.Errors / bucket.Attempts,
        ShiftMetric.RefusalRate => bucket.Answered < RequestsMin ? null : (double)bucket.Refusals / bucket.Answered,
        _ => null,
    };

    private static double? Positive(double part, double whole, long requests) => requests < RequestsMin || part <= 0 || whole <= 0 ? null : part / whole;

    /// <summary>Holm's step-down: the least probable of m counts m times, the next m - 1 times.</summary>
    private static IEnumerable<Shift> WithFamily(List<Shift> comparisons)
    {
        double highest = 0;
        Shift[] ordered = [.. comparisons.OrderBy(static shift => shift.Probability)];
        for (int index = 0; index < ordered.Length; index++)
        {
            highest = Math.Max(highest, Math.Min(1, ordered[index].Probability * (ordered.Length - index)));
            yield return ordered[index] with { FamilyProbability = highest };
        }
    }

    private static IReadOnlyList<string> AppsOf(Component subject, IReadOnlyList<ShareRow> shares) =>
    [
        .. shares.Where(row => row.App.Length > 0 && (subject.Kind == ComponentKind.Vendor ? row.Vendor : row.Platform) == subject.Name).Select(static row => row.App)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
    ];
}
