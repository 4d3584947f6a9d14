using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Ballast.Bench;

/// <summary>A program that runs on one core until it is disposed of. Its number is noted in <c>pids</c>, so that ./bench.sh can end what a killed bench leaves.</summary>
public sealed class PinnedProcess : IDisposable
{
    /// <summary>The measured program's core; everything else runs on the other.</summary>
    public const int ProxyCore = 0;
    public const int LoadCore = 1;

    private static readonly TimeSpan ListenTimeMax = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan EndTimeMax = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private PinnedProcess(string name, Process process, int port)
    {
        Name = name;
        Port = port;
        _process = process;
    }

    public string Name { get; }
    public int Port { get; }
    public int Id => _process.Id;

    /// <summary>taskset replaces itself by the program, so the number is the program's own.</summary>
    public static PinnedProcess Start(
        BenchOptions options, string name, int core, int port, IEnumerable<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new("taskset", ["-c", $"{core}", .. command])
        {
            WorkingDirectory = options.Scratch,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string variable, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[variable] = value;
        }

        Process process = Process.Start(start) ?? throw new BenchException($"{name} did not start");
        string log = Path.Combine(options.Scratch, $"{name}.log");
        object gate = new();
        process.OutputDataReceived += (_, line) => Note(log, gate, line.Data);
        process.ErrorDataReceived += (_, line) => Note(log, gate, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        File.AppendAllText(Path.Combine(options.Scratch, "pids"), $"{process.Id}\n");
        return new PinnedProcess(name, process, port);
    }

    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until the port takes connections.</summary>
    public async Task ListensAsync(CancellationToken cancellation)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ListenTimeMax);
        while (true)
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, Port, limit.Token);
                return;
            }
            catch (SocketException) when (!_process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, limit.Token);
            }
            catch (Exception failure) when (failure is SocketException || !cancellation.IsCancellationRequested)
            {
                throw new BenchException($"{Name} does not listen; see artifacts/bench/run/{Name}.log");
            }
        }
    }

    /// <summary>Asks the program to end, and waits until it has.</summary>
    public async Task EndAsync(CancellationToken cancellation)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{Id}"]);
        await kill.WaitForExitAsync(cancellation);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(EndTimeMax);
        await _process.WaitForExitAsync(limit.Token);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(5000);
        }

        _process.Dispose();
    }

    private static void Note(string log, object gate, string? line)
    {
        if (line is not null)
        {
            lock (gate)
            {
                File.AppendAllText(log, line + "\n");
            }
        }
    }
}
