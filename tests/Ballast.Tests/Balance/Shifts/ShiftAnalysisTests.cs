using Ballast.Balance.Shifts;
using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Tests.Balance.Shifts;

/// <summary>Shifts in made-up traffic whose truth is known: two weeks of hours with a daily rhythm, hours that are alike, log-normal times.</summary>
public class ShiftAnalysisTests
{
    private const int Hours = 7 * 24;

    private static readonly DateTimeOffset s_start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_middle = s_start.AddHours(Hours);

    [Fact]
    public void Build_NothingChanged_RaisesFewerFalseAlarmsThanItSays()
    {
        Random random = new(11);
        int comparisons = 0, alarms = 0, improbable = 0;
        double expected = 0;
        for (int run = 0; run < 150; run++)
        {
            ShiftAnalysis analysis = ShiftAnalysis.Build(Traffic(random, static _ => new World()), s_middle, []);
            comparisons += analysis.Comparisons.Count;
            expected += analysis.FalseAlarms;
            alarms += analysis.Found.Count;
            improbable += analysis.Comparisons.Count(static shift => shift.Probability < ShiftAnalysis.ProbabilityMax);
        }

        // 150 runs of 34 figures: about five may be improbable by chance, and being 5 % apart as well is rarer still.
        Assert.InRange(comparisons, 4_000, 6_000);
        Assert.True(alarms <= expected, $"{alarms} false alarms where {expected:0.0} were told");
        Assert.InRange(improbable, 0, 2.5 * expected);
        TestContext.Current.SendDiagnosticMessage($"{comparisons} comparisons, {improbable} below p, {alarms} alarms, {expected:0.0} told");
    }

    [Theory]
    [InlineData(ShiftMetric.Ttft, 1.25)]
    [InlineData(ShiftMetric.TokensPerSecond, 0.8)]
    [InlineData(ShiftMetric.InputPrice, 1.1)]
    [InlineData(ShiftMetric.OutputPrice, 0.9)]
    [InlineData(ShiftMetric.ErrorRate, 2)]
    [InlineData(ShiftMetric.RefusalRate, 3)]
    [InlineData(ShiftMetric.Share, 0.8)]
    public void Build_PlantedShift_IsFoundInEveryRunAndInItsPlace(ShiftMetric metric, double factor)
    {
        Random random = new(5);
        for (int run = 0; run < 20; run++)
        {
            ShiftAnalysis analysis = ShiftAnalysis.Build(Traffic(random, isAfter => isAfter ? World.With(metric, factor) : new World()), s_middle, [new ShareRow("credit", "azure/gpt", "openai", "azure", "se", 1, 1, 1, 1)]);

            Shift found = Assert.Single(analysis.Found, shift => shift.Metric == metric && shift.Subject == new Component(ComponentKind.Platform, "azure"));
            Assert.Equal(factor - 1, found.Change!.Value, tolerance: 0.5 * Math.Abs(factor - 1) + 0.01);
            Assert.True(found.FamilyProbability is >= 0 and < 0.01 && found.FamilyProbability >= found.Probability);
            Assert.Equal(["credit"], found.Apps);
            Assert.DoesNotContain(analysis.Found, shift => shift.Metric == metric && shift.Subject.Name == "aws" && metric != ShiftMetric.Share);
        }
    }

    [Fact]
    public void Build_FigureThatWasZero_IsToldWithoutAChange()
    {
        Random random = new(3);
        ShiftAnalysis analysis = ShiftAnalysis.Build(Traffic(random, static isAfter => new World { Refusals = isAfter ? 0.05 : 0 }), s_middle, []);

        Shift found = Assert.Single(analysis.Found, static shift => shift.Metric == ShiftMetric.RefusalRate && shift.Subject.Name == "azure");
        Assert.Null(found.Change);
        Assert.Equal(0, found.Before);
    }

    [Fact]
    public void Build_LargeSampleAndTinyChange_IsNotTold()
    {
        Random random = new(9);
        ShiftAnalysis analysis = ShiftAnalysis.Build(Traffic(random, static isAfter => new World { Price = isAfter ? 1.03 : 1 }), s_middle, []);

        Shift price = analysis.Comparisons.Single(static shift => shift.Metric == ShiftMetric.InputPrice && shift.Subject.Name == "azure");
        Assert.True(price.Probability < ShiftAnalysis.ProbabilityMax);
        Assert.False(price.IsFound);
    }

    [Fact]
    public void Build_NoOrLittleTraffic_ComparesNothing()
    {
        Assert.Empty(ShiftAnalysis.Build([], s_middle, []).Comparisons);
        ShiftAnalysis few = ShiftAnalysis.Build([.. Traffic(new Random(1), static _ => new World()).Where(static bucket => bucket.From < s_start.AddHours(4))], s_middle, []);
        Assert.Empty(few.Comparisons);
        Assert.True(few.Untold > 0);
    }

    /// <summary>Two vendors on two platforms.</summary>
    private static List<TrafficBucket> Traffic(Random random, Func<bool, World> world)
    {
        List<TrafficBucket> buckets = [];
        for (int hour = 0; hour < 2 * Hours; hour++)
        {
            World now = world(hour >= Hours);
            double busy = 60 + (40 * Math.Sin(hour * Math.PI / 12));
            buckets.Add(Bucket(random, hour, "openai", "azure", busy * now.Share, now));
            buckets.Add(Bucket(random, hour, "anthropic", "aws", busy, new World()));
        }

        return buckets;
    }

    private static TrafficBucket Bucket(Random random, int hour, string vendor, string platform, double busy, World world)
    {
        long requests = 10 + (long)(busy * (0.8 + (0.4 * random.NextDouble())));

        // What all requests of an hour have in common: a test that counts requests singly would take it for a change.
        double mood = Math.Exp(0.1 * Normal(random));
        double ttft = 0, streamed = 0, input = 0, output = 0;
        long errors = 0, refusals = 0;
        for (int request = 0; request < requests; request++)
        {
            double tokens = 1_000 * Math.Exp(0.8 * Normal(random));
            ttft += 0.4 * world.Ttft * mood * Math.Exp(0.5 * Normal(random));
            streamed += 200 / (60 * world.Speed * Math.Exp(0.3 * Normal(random)));
            input += tokens;
            output += 201;
            errors += random.NextDouble() < 0.04 * world.Errors ? 1 : 0;
            refusals += random.NextDouble() < world.Refusals ? 1 : 0;
        }

        return new TrafficBucket(vendor, platform, s_start.AddHours(hour))
        {
            Attempts = requests + errors, Answered = requests, Errors = errors, Refusals = refusals, Tokens = (long)(input + output), PricedInputTokens = (long)input, PricedOutputTokens = (long)output,
            PricedInputUsd = (decimal)(input * 2e-6 * world.Price * Math.Exp(0.02 * Normal(random))), PricedOutputUsd = (decimal)(output * 8e-6 * world.Price * Math.Exp(0.02 * Normal(random))),
            StreamedTokens = 200 * requests, StreamedTime = TimeSpan.FromSeconds(streamed), TtftCount = requests, TtftTime = TimeSpan.FromSeconds(ttft),
        };
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private sealed record World
    {
        public double Ttft { get; init; } = 1;
        public double Speed { get; init; } = 1;
        public double Price { get; init; } = 1;
        public double Errors { get; init; } = 1;
        public double Refusals { get; init; } = 0.02;
        public double Share { get; init; } = 1;

        public static World With(ShiftMetric metric, double factor) => metric switch
        {
            ShiftMetric.Ttft => new World { Ttft = factor },
            ShiftMetric.TokensPerSecond => new World { Speed = factor },
            ShiftMetric.InputPrice or ShiftMetric.OutputPrice => new World { Price = factor },
            ShiftMetric.ErrorRate => new World { Errors = factor },
            ShiftMetric.RefusalRate => new World { Refusals = 0.02 * factor },

            // Half and half: to make the share 0.8 of one half, the traffic must become two thirds.
            _ => new World { Share = 2.0 / 3 },
        };
    }
}
