using Ballast.Benchmarks;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// "tail" alone: every admission of a million timed by itself, without the other benchmarks.
if (args is ["tail"])
{
    Console.WriteLine("| figure | measured | must hold | aim | verdict |\n|---|---|---|---|---|");
    Console.WriteLine(await AdmissionTail.MeasureAsync());
    return;
}

// Run by ./bench.sh --micro; patterns as arguments choose among the benchmarks. In this process: a benchmark that builds a project of its own would not find the repository's central settings.
IConfig config = DefaultConfig.Instance
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
    .AddDiagnoser(MemoryDiagnoser.Default)
    .HideColumns(Column.Job, Column.Toolchain, Column.IterationCount, Column.LaunchCount, Column.WarmupCount);
if (args.Length > 0)
{
    config = config.AddFilter(new GlobFilter(args));
}

Summary[] summaries = BenchmarkRunner.Run([typeof(ChunkBenchmarks), typeof(RequestBenchmarks), typeof(GatewayBenchmarks), typeof(ShareBenchmarks)], config);
Console.WriteLine(MicroReport.Table(summaries) + await AdmissionTail.MeasureAsync());
