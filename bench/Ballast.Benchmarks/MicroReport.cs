using System.Globalization;
using System.Text;
using BenchmarkDotNet.Reports;

namespace Ballast.Benchmarks;

/// <summary>The figures that have a target, in the form of the big table's rows. The median counts: what else the machine does disturbs single rounds.</summary>
internal static class MicroReport
{
    /// <summary>Rounds further apart than this tell of the machine: as with the big table, nothing is called missed on their word.</summary>
    private const double SpreadMax = 1.25;

    private static readonly (string Method, string Figure, double MustHold, double Aim)[] s_figures =
    [
        (nameof(GatewayBenchmarks.GatewayWork), "gateway work in-process, per request", 5, 1.5),
        (nameof(GatewayBenchmarks.Step_Admission), "admission: key, limits, two budgets, lawful models", 5, 1),
        (nameof(ShareBenchmarks.Decide_AndCorrect), "decision by share credits, with its correction", 0.5, 0.3),
    ];

    private static readonly (string Method, string Figure)[] s_bytes =
    [
        (nameof(ChunkBenchmarks.OpenAI_PassedOn), "bytes allocated per chunk passed on, OpenAI"),
        (nameof(ChunkBenchmarks.Anthropic_PassedOn), "bytes allocated per chunk passed on, Anthropic"),
    ];

    public static string Table(IEnumerable<Summary> summaries)
    {
        List<BenchmarkReport> reports = [.. summaries.SelectMany(summary => summary.Reports).Where(report => report.ResultStatistics is not null)];
        StringBuilder text = new("\n| figure | measured | must hold | aim | verdict |\n|---|---|---|---|---|\n");
        foreach ((string method, string figure, double mustHold, double aim) in s_figures)
        {
            foreach (BenchmarkReport report in Of(reports, method))
            {
                double microseconds = report.ResultStatistics!.Median / 1000;
                bool isNoise = report.ResultStatistics.Max > report.ResultStatistics.Min * SpreadMax;
                string verdict = microseconds <= aim ? "aim met" : microseconds <= mustHold ? "holds" : isNoise ? "noise" : "missed";
                text.Append(CultureInfo.InvariantCulture, $"| {figure} | {microseconds:F2} µs, {Bytes(report)} B allocated | ≤ {mustHold} µs | ≤ {aim} µs | {verdict} |\n");
            }
        }

        foreach ((string method, string figure) in s_bytes)
        {
            foreach (BenchmarkReport report in Of(reports, method))
            {
                // One operation is a thousand chunks: what opening the stream takes is spread over them.
                long bytes = Bytes(report);
                text.Append(CultureInfo.InvariantCulture, $"| {figure} | {bytes} | ≤ 1 | ≤ 1 | {(bytes <= 1 ? "holds" : "missed")} |\n");
            }
        }

        return text.ToString();
    }

    private static IEnumerable<BenchmarkReport> Of(List<BenchmarkReport> reports, string method) =>
        reports.Where(report => report.BenchmarkCase.Descriptor.WorkloadMethod.Name == method);

    private static long Bytes(BenchmarkReport report) => report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0;
}
