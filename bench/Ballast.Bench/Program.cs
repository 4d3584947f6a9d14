using System.Runtime.InteropServices;
using Ballast.Bench;

// Started by ./bench.sh, which builds everything first: side-by-side measurement on this machine. Every process started here ends with it.
BenchOptions? options = BenchOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine("usage: Ballast.Bench --root FOLDER [--rounds N] [--quick] [--json] [--counts FILE]; normally run by ./bench.sh");
    return 2;
}

using CancellationTokenSource stop = new(BenchOptions.TimeMax, TimeProvider.System);
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    await using Field field = await Field.StartAsync(options, stop.Token);
    Samples samples = new();
    if (options.Counts is not null)
    {
        await new Measurement(field, options, samples).CountAsync(stop.Token);
        return 0;
    }

    await new Measurement(field, options, samples).RunAsync(stop.Token);
    IReadOnlyList<Verdict> verdicts = Verdict.Judge(samples);
    string json = Report.Json(options, samples, verdicts);
    await File.WriteAllTextAsync(Path.Combine(options.Tools, "last.json"), json + "\n");
    Console.WriteLine(options.Json ? json : Report.Table(options, samples, verdicts));
    return verdicts.Any(verdict => verdict.Result == "missed") ? 1 : 0;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("bench: stopped");
    return 130;
}
catch (BenchException failure)
{
    Console.Error.WriteLine($"bench: {failure.Message}");
    return 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
