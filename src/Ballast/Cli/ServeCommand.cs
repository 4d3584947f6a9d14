using System.CommandLine;
using System.Security.Cryptography;
using Ballast.Conversations;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Handles;
using Ballast.Idempotency;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Ballast.Server;
using Ballast.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ballast.Cli;

/// <summary><c>ballast serve</c>: the gateway, from a configuration file or from well-known environment variables.</summary>
public static class ServeCommand
{
    /// <summary>Taken where no file is named and this one exists.</summary>
    public const string DefaultFile = "ballast.yaml";

    public static Command Create()
    {
        Option<string?> config = new("--config", "-c") { HelpName = "FILE", Description = $"Configuration file. Default: {DefaultFile} in this folder, else the providers whose environment variables are set." };
        Option<string?> listen = new("--listen") { HelpName = "URL", Description = "Address for clients, for example http://127.0.0.1:8080; wins over the file." };
        Option<string?> admin = new("--admin") { HelpName = "URL", Description = "Loopback address for administration, for example http://127.0.0.1:8081; wins over the file." };
        Option<string?> ledger = new("--ledger") { HelpName = "FILE", Description = "SQLite file of the ledger; wins over the file." };
        Command command = new("serve",
            """
            Serve the gateway.

            With a configuration file it is read, checked, and read again whenever it changes or on SIGHUP; a faulty one is
            reported and the last good one stays in force. Without one, the providers whose well-known variables are set are
            served: OPENAI_API_KEY, AZURE_OPENAI_API_KEY with AZURE_OPENAI_ENDPOINT, AWS_BEARER_TOKEN_BEDROCK with AWS_REGION,
            ANTHROPIC_API_KEY, GROQ_API_KEY, MISTRAL_API_KEY, OLLAMA_HOST and others (docs/providers.md).
            Clients then use the key in BALLAST_API_KEY, or a random one that is printed at the start.

            SIGTERM or Ctrl-C drains: no new requests, running ones may end (limits.drain_timeout), the ledger is written out.

            Exit code: 0 ended by a signal, 2 it could not start: configuration refused, address in use, ledger unusable.

            Examples:
              OPENAI_API_KEY=… ballast serve
              ballast check staging.yaml && ballast serve --config staging.yaml
              ballast serve --listen http://0.0.0.0:8080 --ledger /var/lib/ballast/ledger.db
            """)
        {
            config, listen, admin, ledger,
        };
        command.SetAction((parsed, _) => RunAsync(
            parsed.GetValue(config), parsed.GetValue(listen), parsed.GetValue(admin), parsed.GetValue(ledger)));
        return command;
    }

    private static async Task<int> RunAsync(string? file, string? listen, string? admin, string? ledger)
    {
        file ??= File.Exists(DefaultFile) ? DefaultFile : null;
        if (file is not null && !File.Exists(file))
        {
            return Fail($"there is no file '{file}'.");
        }

        LoadResult loaded = file is null ? FromEnvironment() : OptionsLoader.LoadFile(file, Environment.GetEnvironmentVariable);
        foreach (ConfigurationFault fault in loaded.Faults)
        {
            Console.Error.WriteLine(fault.Print(file ?? "environment"));
        }

        if (loaded.Options is not { } options)
        {
            return CommandLine.UsageError;
        }

        if (!TryAddress(listen, options.Server.Listen, options.Tls is not null, out Uri clients) || !TryAddress(admin, options.Server.Admin, options.Tls is not null, out Uri administration)
            || !administration.IsLoopback)
        {
            return Fail("--listen and --admin take addresses such as http://127.0.0.1:8080; --admin must be on loopback; https:// needs a certificate under tls:.");
        }

        CatalogHolder holder = new(CatalogBuilder.Build(options, revision: 1), options);
        // From the first moment: whoever reads that this serves may stop it at once, and is to see it drain.
        using StopSignal stop = new(takesHangUp: true);
        try
        {
            await using BallastServer server = await BallastServer.StartAsync(
                Setup(options, holder, clients, administration, ledger),
                CancellationToken.None).ConfigureAwait(false);
            if (server.FirstAdminToken is { } token)
            {
                Console.Error.WriteLine($"Token for administration: {token}   (shown this once; use it as BALLAST_ADMIN_TOKEN)");
            }

            await ServeAsync(server, holder, file, stop).ConfigureAwait(false);
            return 0;
        }
        catch (AddressInUseException busy)
        {
            return Fail($"{busy.Message} Choose another with --listen or --admin.");
        }
        catch (Exception fault) when (fault is TlsException or LedgerException or ConversationStoreException or Tenancy.TenancyStoreException or HandleStoreException or IdempotencyStoreException)
        {
            return Fail(fault.Message);
        }
    }

    /// <summary>A ledger named on the command line is a file, wherever the configuration would keep one.</summary>
    private static ServerSetup Setup(BallastOptions options, CatalogHolder holder, Uri clients, Uri administration, string? ledger)
    {
        string path = ledger ?? options.Ledger.Path;
        string beside = Path.ChangeExtension(Path.GetFullPath(path), ".spool");
        return new ServerSetup
        {
            Catalog = holder,
            Listen = clients,
            Admin = administration,
            LedgerPath = path,
            LedgerConnection = ledger is null ? options.Ledger.Connection?.Reveal() : null,
            Retention = new(TimeSpan.FromDays(options.Ledger.MinutesKeptDays), TimeSpan.FromDays(options.Ledger.HoursKeptDays)),
            Spool = new SpoolOptions
            {
                Folder = ledger is null ? options.Ledger.Spool ?? beside : beside,
                BytesMax = options.Ledger.SpoolBytesMax,
                WaitsForDisk = options.Ledger.WaitsForDisk,
            },
            Engine = options.Server.Engine,
            Tls = options.Tls,
            IsJsonLog = options.Log.IsJson,
            LogLevel = options.Log.Level switch { "debug" => LogLevel.Debug, "warning" => LogLevel.Warning, "error" => LogLevel.Error, _ => LogLevel.Information },
            Conversations = options.Conversations,
            PolicyFolder = options.Balance.Policies,
        };
    }

    private static async Task ServeAsync(BallastServer server, CatalogHolder holder, string? file, StopSignal stop)
    {
        void Report(CatalogReload reload)
        {
            if (reload.IsApplied)
            {
                server.Log.Reloaded(reload.Revision);
                return;
            }

            foreach (ConfigurationFault fault in reload.Faults)
            {
                server.Log.ReloadRefused(fault.Print(file!));
            }
        }

        void ReloadNow()
        {
            if (file is not null)
            {
                bool isApplied = holder.TryReload(file, Environment.GetEnvironmentVariable, out IReadOnlyList<ConfigurationFault> faults);
                Report(new CatalogReload(isApplied, holder.Current.Revision, faults));
            }
        }

        stop.HangUp = ReloadNow;
        Task watching = file is null
            ? Task.CompletedTask
            : new CatalogWatcher(holder, file, Environment.GetEnvironmentVariable, server.Time).RunAsync(Report, stop.Token);
        await stop.WaitAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
    }

    private static LoadResult FromEnvironment()
    {
        LoadResult loaded = EnvironmentOptions.Load(Environment.GetEnvironmentVariable);
        if (loaded.Options is { Keys.Count: 0 } options)
        {
            string key = "blst-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
            Console.Error.WriteLine($"API key of this run: {key}   (set {EnvironmentOptions.KeyVariable} to choose your own)");
            return loaded with { Options = EnvironmentOptions.WithKey(options, key) };
        }

        return loaded;
    }

    private static bool TryAddress(string? text, Uri configured, bool hasTls, out Uri address)
    {
        address = configured;
        if (text is null)
        {
            return true;
        }

        bool isGood = Uri.TryCreate(text, UriKind.Absolute, out Uri? parsed) && (parsed.Scheme == "http" || (hasTls && parsed.Scheme == "https"));
        address = parsed ?? configured;
        return isGood;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine($"error: {message}");
        return CommandLine.UsageError;
    }
}
