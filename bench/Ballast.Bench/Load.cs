using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ballast.Bench;

/// <summary>One run of the load client.</summary>
public sealed record LoadRequest
{
    public required int Port { get; init; }
    public required string Body { get; init; }
    public string Path { get; init; } = "/v1/chat/completions";
    public IReadOnlyList<string> Headers { get; init; } = [];
    public int Connections { get; init; } = 64;
    public required double Seconds { get; init; }
    public double WarmSeconds { get; init; }
    public bool IsStream { get; init; }
    public int ProcessId { get; init; }
}

/// <summary>What the load client saw.</summary>
public sealed record LoadResult(
    long Requests, double Seconds, double CpuUs, double ResidentMb, double TtftUs, long Chunks, double DelayUs)
{
    public double CpuUsPerRequest => CpuUs / Requests;
    public double CpuUsPerChunk => CpuUs / Chunks;
    public double RequestsPerCpuSecond => Requests / (CpuUs / 1e6);

    public static async Task<LoadResult> RunAsync(BenchOptions options, LoadRequest request, string what, CancellationToken cancellation)
    {
        List<string> arguments =
        [
            "-c", $"{PinnedProcess.LoadCore}", System.IO.Path.Combine(options.Tools, "load"),
            "-c", Text(request.Connections), "-d", Text(request.Seconds), "-w", Text(request.WarmSeconds), "-p", Text(request.ProcessId),
            .. request.IsStream ? ["-s", "-r"] : Array.Empty<string>(),
            .. request.Headers.SelectMany(header => new[] { "-H", header }),
            Text(request.Port), request.Path, System.IO.Path.Combine(options.Scratch, request.Body),
        ];
        using Process load = Process.Start(new ProcessStartInfo("taskset", arguments) { RedirectStandardOutput = true })!;
        try
        {
            string line = await load.StandardOutput.ReadToEndAsync(cancellation);
            await load.WaitForExitAsync(cancellation);
            if (load.ExitCode != 0)
            {
                throw new BenchException($"the load client failed at {what}");
            }

            return Read(line, request, what);
        }
        finally
        {
            if (!load.HasExited)
            {
                load.Kill();
            }
        }
    }

    private static LoadResult Read(string line, LoadRequest request, string what)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        double Number(string name) => document.RootElement.GetProperty(name).GetDouble();
        double done = request.IsStream ? Number("chunks") : Number("requests");
        if (Number("errors") > 0 || done == 0)
        {
            throw new BenchException($"{what}: {Number("errors")} errors, {done} measured; a candidate that fails is not compared");
        }

        return new LoadResult((long)Number("requests"), Number("seconds"), Number("cpu_us"), Number("rss_kb") / 1024,
            Number("ttft_p50_us"), (long)Number("chunks"), Number("delay_p50_us"));
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
