using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ballast.Tests.Ledger;

/// <summary>
/// A PostgreSQL server of a test's own: the system's binaries on a scratch folder and a free port, under an ordinary user where the tests run as root, which the server
/// refuses. Ends with the test, and with the process group of the test run.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string SuperUser = "ballast";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly string? s_binaries = Find();

    private readonly string _folder;
    private Process? _process;
    private int _databases;

    private PostgresServer(string folder) => _folder = folder;

    public static bool IsInstalled => s_binaries is not null;

    public int Port { get; private set; }

    /// <summary>Makes a cluster and starts it.</summary>
    public static async Task<PostgresServer> StartNewAsync()
    {
        Assert.SkipUnless(IsInstalled, "PostgreSQL 15 or newer is not installed (Debian: postgresql)");
        PostgresServer server = new(Directory.CreateTempSubdirectory("ballast-postgres-").FullName);
        try
        {
            if (IsRoot)
            {
                await RunAsync("chown", [ServerUser, server._folder]);
            }

            await server.RunAsOwnerAsync("initdb", ["-D", server.DataFolder, "-U", SuperUser, "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale"]);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A fresh database on it.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        string name = "ledger" + Interlocked.Increment(ref _databases).ToString(CultureInfo.InvariantCulture);
        await using Npgsql.NpgsqlConnection connection = new(ConnectionTo("postgres"));
        await connection.OpenAsync();
        await using Npgsql.NpgsqlCommand command = new($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        return ConnectionTo(name);
    }

    public async Task StartAsync()
    {
        for (int attempt = 1; ; attempt++)
        {
            Port = Port == 0 ? FreePort() : Port;
            ProcessStartInfo start = Owned("postgres", ["-D", DataFolder, "-p", Port.ToString(CultureInfo.InvariantCulture), "-k", _folder,
                "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=40"]);
            start.RedirectStandardError = true;
            start.RedirectStandardOutput = true;
            _process = Process.Start(start)!;
            _process.ErrorDataReceived += static (_, _) => { };
            _process.BeginErrorReadLine();
            _process.BeginOutputReadLine();
            if (await IsReadyAsync())
            {
                return;
            }

            Assert.True(attempt < 5, "PostgreSQL does not start");
            Port = 0; // another program was quicker
        }
    }

    /// <summary>Ends it at once, connections and all.</summary>
    public async Task StopAsync()
    {
        if (_process is { HasExited: false } process)
        {
            await SignalAsync("-QUIT", [process.Id]);
            await process.WaitForExitAsync().WaitAsync(s_patience);
        }

        _process?.Dispose();
        _process = null;
    }

    /// <summary>It answers nothing and closes nothing.</summary>
    public Task HangAsync() => SignalAsync("-STOP", Family());

    public Task GoOnAsync() => SignalAsync("-CONT", Family());

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await GoOnAsync();
        }

        await StopAsync();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // What is still held stays in the system's own folder for such files.
        }
    }

    private static bool IsRoot => Environment.UserName == "root";

    private static string ServerUser { get; } = File.ReadAllText("/etc/passwd").Contains("\npostgres:", StringComparison.Ordinal) ? "postgres" : "nobody";

    private string DataFolder => Path.Combine(_folder, "data");

    private string ConnectionTo(string database) =>
        $"Host=127.0.0.1;Port={Port.ToString(CultureInfo.InvariantCulture)};Database={database};Username={SuperUser};Pooling=false;SslMode=Disable";

    private static string? Find() =>
        Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .Where(static folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int version) && version >= 15
                    && File.Exists(Path.Combine(folder, "bin", "postgres")))
                .OrderDescending(StringComparer.Ordinal)
                .Select(static folder => Path.Combine(folder, "bin"))
                .FirstOrDefault()
            : null;

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<bool> IsReadyAsync()
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!_process!.HasExited && waited.Elapsed < s_patience)
        {
            try
            {
                await using Npgsql.NpgsqlConnection connection = new(ConnectionTo("postgres"));
                await connection.OpenAsync();
                return true;
            }
            catch (Npgsql.NpgsqlException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }

        return false;
    }

    private int[] Family()
    {
        int parent = _process!.Id;
        List<int> family = [parent];
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int process) && ParentOf(folder) == parent)
            {
                family.Add(process);
            }
        }

        return [.. family];
    }

    private static int ParentOf(string folder)
    {
        try
        {
            string stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static Task SignalAsync(string signal, int[] processes) =>
        RunAsync("kill", [signal, .. processes.Select(static process => process.ToString(CultureInfo.InvariantCulture))], mayFail: true);

    private Task RunAsOwnerAsync(string program, string[] arguments) => RunAsync(Owned(program, arguments), mayFail: false);

    private static Task RunAsync(string program, string[] arguments, bool mayFail = false) => RunAsync(new ProcessStartInfo(program, arguments), mayFail);

    private static async Task RunAsync(ProcessStartInfo start, bool mayFail)
    {
        start.RedirectStandardError = true;
        start.RedirectStandardOutput = true;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(s_patience);
        Assert.True(mayFail || process.ExitCode == 0, $"{start.FileName} ended with {process.ExitCode}: {await errors}");
    }

    private ProcessStartInfo Owned(string program, string[] arguments)
    {
        string path = Path.Combine(s_binaries!, program);
        ProcessStartInfo start = IsRoot
            ? new ProcessStartInfo("setpriv", ["--reuid", ServerUser, "--regid", ServerUser == "nobody" ? "nogroup" : ServerUser, "--clear-groups", "--reset-env", path, .. arguments])
            : new ProcessStartInfo(path, arguments);
        start.WorkingDirectory = _folder;
        return start;
    }
}
