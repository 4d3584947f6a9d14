using System.Runtime.InteropServices;

namespace Ballast.Tests.Guards;

/// <summary>
/// Tells whether two classes of input take the same time: many small batches of each, mixed at random, timed by what the thread itself has run (no other program and no other thread
/// is in it), the slowest cut off, Welch's t of what remains. After Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?".
/// </summary>
internal static class LeakTest
{
    private const int ThreadTime = 3;
    private const int CallsPerBatch = 32;

    private static readonly double[] s_kept = [0.5, 0.8, 0.95];

    /// <summary>The largest |t| of all cuts, in the calmest of a few rounds: a leak is there in each.</summary>
    public static double Of(Action<string> call, string[] one, string[] other, int rounds = 5) =>
        Enumerable.Range(1, rounds).Min(seed =>
        {
            (List<double> ones, List<double> others) = Measure(call, one, other, seed);
            double[] sorted = [.. ones.Concat(others).Order()];
            return s_kept.Max(kept => Math.Abs(Welch(ones, others, sorted[(int)((sorted.Length - 1) * kept)])));
        });

    /// <summary>How many times as long as the one the other takes, by the medians, in the round that is nearest to 1.</summary>
    public static double Ratio(Action<string> call, string[] one, string[] other, int rounds = 5) =>
        Enumerable.Range(1, rounds).Select(seed =>
        {
            (List<double> ones, List<double> others) = Measure(call, one, other, seed);
            return others.Order().ElementAt(others.Count / 2) / ones.Order().ElementAt(ones.Count / 2);
        }).MinBy(static ratio => Math.Abs(Math.Log(ratio)));

    private static (List<double> One, List<double> Other) Measure(Action<string> call, string[] one, string[] other, int seed)
    {
        Random random = new(seed);
        (List<double> One, List<double> Other) taken = ([], []);
        for (int batch = -200; batch < 6000; batch++) // the first ones warm up
        {
            bool isOne = random.Next(2) == 0;
            string[] inputs = isOne ? one : other;
            int start = random.Next(inputs.Length - CallsPerBatch);
            long before = Nanoseconds();
            for (int i = start; i < start + CallsPerBatch; i++)
            {
                call(inputs[i]);
            }

            if (batch >= 0)
            {
                (isOne ? taken.One : taken.Other).Add(Nanoseconds() - before);
            }
        }

        return taken;
    }

    private static double Welch(List<double> one, List<double> other, double longest)
    {
        (double mean, double error) = Moments([.. one.Where(time => time <= longest)]);
        (double otherMean, double otherError) = Moments([.. other.Where(time => time <= longest)]);
        return (mean - otherMean) / Math.Sqrt(error + otherError);
    }

    private static (double Mean, double SquaredError) Moments(double[] times)
    {
        double mean = times.Average();
        return (mean, times.Sum(time => (time - mean) * (time - mean)) / (times.Length - 1) / times.Length);
    }

    private static long Nanoseconds()
    {
        Assert.Equal(0, clock_gettime(ThreadTime, out TimeSpec time));
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int clock_gettime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
