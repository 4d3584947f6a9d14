using System.Text;

namespace Ballast.Configuration;

/// <summary>
/// Reads <c>ballast.yaml</c>: text → tree → options → validation. All faults are reported at once; options come out only when there is none.
/// </summary>
public static class OptionsLoader
{
    /// <summary>Largest file taken, in bytes.</summary>
    public const int FileBytesMax = 1024 * 1024;

    /// <summary>Reads a file from disk; a file that cannot be read is a fault, not an exception.</summary>
    public static LoadResult LoadFile(string fileName, Func<string, string?> environment, TimeProvider? time = null)
    {
        try
        {
            using FileStream stream = new(fileName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length > FileBytesMax)
            {
                return Refused($"the file is larger than {FileBytesMax / 1024} KiB", "");
            }

            byte[] bytes = new byte[(int)stream.Length];
            stream.ReadExactly(bytes);
            return Load(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes).TrimStart('\uFEFF'), fileName, environment, time);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return Refused($"{fileName} does not exist", "`ballast init` writes a first one; or name another file");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Refused($"{fileName} cannot be read", Directory.Exists(fileName) ? "it is a folder" : error.GetType().Name);
        }
        catch (ArgumentException)
        {
            return Refused("the file is not valid UTF-8", "save it as UTF-8");
        }
    }

    /// <param name="yaml">The text of the file.</param>
    /// <param name="fileName">Where it stands: files named in it are looked for beside it. It need not exist.</param>
    /// <param name="environment">Gives an environment variable's value, or null.</param>
    /// <param name="time">Judges whether certificates are still good; null takes the machine's.</param>
    public static LoadResult Load(string yaml, string fileName, Func<string, string?> environment, TimeProvider? time = null)
    {
        if (Encoding.UTF8.GetByteCount(yaml) > FileBytesMax)
        {
            return Refused($"the file is larger than {FileBytesMax / 1024} KiB", "");
        }

        LoadContext context = new(fileName, environment, time ?? TimeProvider.System);
        YamlTree? root = YamlTreeReader.Read(yaml, context.Faults);
        if (root is not null and not YamlMap)
        {
            context.Faults.Error("", root.Line, root.Column, $"the file must be a mapping, not {root.Describe()}", "begin with 'providers:'");
        }

        if (root is not YamlMap map)
        {
            return new LoadResult { Faults = context.Faults.ToList() };
        }

        BallastOptions options = ReadFile(context, map);
        OptionsValidator.Validate(options, context.Faults);
        return new LoadResult
        {
            Options = context.Faults.HasErrors ? null : options,
            Faults = context.Faults.ToList(),
            KnownKeys = context.KnownKeys,
        };
    }

    private static LoadResult Refused(string message, string hint) =>
        new() { Faults = [new ConfigurationFault("", 0, 0, message, hint, IsWarning: false)] };

    private static BallastOptions ReadFile(LoadContext context, YamlMap map)
    {
        SectionReader file = new(context, "file", "", map);
        TlsOptions? tls = TlsReader.Read(context, file.Section("tls", "tls"));
        BallastOptions options = new()
        {
            Tls = tls,
            Log = ReadLog(file.Section("log", "log")),
            Server = ReadServer(file.Section("server", "server"), tls is not null),
            Ledger = ReadLedger(context, file.Section("ledger", "ledger")),
            Balance = ReadBalance(context, file.Section("balance", "balance")),
            Conversations = ReadConversations(context, file.Section("conversations", "conversations")),
            Providers = ProviderReader.Read(context, file),
            Models = ReadModels(context, file),
            Keys = KeyReader.Read(context, file),
            Prices = PriceReader.Read(context, file),
            PriceBook = PriceReader.ReadBook(context, file),
            Tenancy = TenancyReader.Read(context, file),
            Telemetry = TelemetryReader.Read(context, file.Section("telemetry", "telemetry")),
            Commitments = CommitmentReader.Read(file),
            Limits = LimitsReader.Read(file.Section("limits", "limits")),
            Constitution = ReadConstitution(context, file),
            Watched = context.Watched,
            Source = context.Source,
        };
        file.End();
        return options;
    }

    /// <summary>A fault of that file is one of this: neither is taken up then.</summary>
    private static ConstitutionOptions? ReadConstitution(LoadContext context, SectionReader file)
    {
        if (file.Text("constitution") is not { } name)
        {
            return null;
        }

        string path = context.Locate(name);
        context.Watch(path);
        ConstitutionLoadResult loaded = ConstitutionLoader.LoadFile(path);
        foreach (ConfigurationFault fault in loaded.Faults)
        {
            file.Error("constitution", fault.Print(name), "ballast constitution check says it all");
        }

        return loaded.Options;
    }

    private static LogOptions ReadLog(SectionReader? section)
    {
        LogOptions options = new()
        {
            IsJson = section?.OneOf("format", ["text", "json"]) == "json",
            Level = section?.OneOf("level", ["debug", "info", "warning", "error"]) ?? new LogOptions().Level,
        };
        section?.End();
        return options;
    }

    /// <summary>With a certificate the ports have TLS unless their addresses say otherwise.</summary>
    private static ServerOptions ReadServer(SectionReader? section, bool hasTls)
    {
        ServerOptions defaults = !hasTls ? new ServerOptions() : new ServerOptions { Listen = new Uri("https://127.0.0.1:8080"), Admin = new Uri("https://127.0.0.1:8081") };
        if (section is null)
        {
            return defaults;
        }

        ServerOptions options = new()
        {
            Listen = section.Address("listen") ?? defaults.Listen,
            Admin = section.Address("admin") ?? defaults.Admin,
            Engine = section.OneOf("engine", ["auto", "kestrel"]) switch { "kestrel" => ServerEngine.Kestrel, "auto" => ServerEngine.Auto, _ => defaults.Engine },
            Nodes = section.Whole("nodes", 1, 1000) ?? defaults.Nodes,
            Cors = CorsReader.Read(section.Section("cors", "cors")),
        };
        foreach ((string key, Uri address) in (ReadOnlySpan<(string, Uri)>)[("listen", options.Listen), ("admin", options.Admin)])
        {
            if (address.Scheme == Uri.UriSchemeHttps && !hasTls)
            {
                section.Error(key, $"'{key}' is https, and there is no certificate", "name one under 'tls:', or write http://");
            }
        }

        section.End();
        return options;
    }

    private static LedgerOptions ReadLedger(LoadContext context, SectionReader? section)
    {
        LedgerOptions defaults = new();
        if (section is null)
        {
            return defaults with { Path = context.Locate(defaults.Path) };
        }

        bool isPostgres = section.OneOf("store", ["sqlite", "postgres"]) == "postgres";
        SecretOptions? connection = SecretReader.Read(context, section, "connection", [], literal: null);
        if (isPostgres && connection is null)
        {
            section.Error("store", "'postgres' needs a 'connection'", "such as connection: ${LEDGER_CONNECTION}");
        }
        else if (!isPostgres && connection is not null)
        {
            section.Error("connection", "'connection' is for store: postgres", "add store: postgres, or leave it out");
        }

        LedgerOptions options = new()
        {
            Path = context.Locate(section.Text("path") ?? defaults.Path),
            Connection = connection,
            Spool = section.Text("spool") is { } spool ? context.Locate(spool) : null,
            SpoolBytesMax = section.Size("spool_max", 32 * 1024 * 1024, int.MaxValue) ?? defaults.SpoolBytesMax,
            MinutesKeptDays = section.Whole("minutes_kept_days", 1, 400) ?? defaults.MinutesKeptDays,
            HoursKeptDays = section.Whole("hours_kept_days", 2, 4000) ?? defaults.HoursKeptDays,
            WaitsForDisk = section.OneOf("durability", ["disk", "process"]) != "process",
        };
        section.End();
        return options;
    }

    private static BalanceOptions ReadBalance(LoadContext context, SectionReader? section)
    {
        string path = section?.Text("policies") ?? new BalanceOptions().Policies;
        section?.End();
        return new BalanceOptions { Policies = context.Locate(path) };
    }

    private static ConversationOptions ReadConversations(LoadContext context, SectionReader? section)
    {
        const int mebi = 1024 * 1024;
        ConversationOptions defaults = new();
        if (section is null)
        {
            return defaults with { Path = context.Locate(defaults.Path) };
        }

        ConversationOptions options = new()
        {
            IsStored = section.OneOf("store", ["sqlite", "none"]) != "none",
            Path = context.Locate(section.Text("path") ?? defaults.Path),
            RetentionDays = section.Whole("retention_days", 1, 3650) ?? defaults.RetentionDays,
            CountPerKeyMax = section.Whole("count_per_key_max", 1, 10_000_000) ?? defaults.CountPerKeyMax,
            BytesPerKeyMax = section.Size("bytes_per_key_max", mebi, 2047 * mebi) ?? defaults.BytesPerKeyMax,
            PendingBytesMax = section.Size("pending_bytes_max", mebi, 1024 * mebi) ?? defaults.PendingBytesMax,
        };
        section.End();
        return options;
    }

    private static List<ModelOptions> ReadModels(LoadContext context, SectionReader file)
    {
        List<ModelOptions> models = [];
        foreach ((string name, SectionReader section) in file.NamedSections("models", "model", ConfiguredName.IsReference, ConfiguredName.ReferenceRule))
        {
            string selection = section.OneOf("selection", ["ordered", "weighted"]) ?? "ordered";
            string? lossPolicy = section.OneOf("loss_policy", ["strict", "warn", "allow"]);
            List<CandidateOptions> candidates = [];
            foreach ((YamlTree item, string path) in section.Items("deployments") ?? [])
            {
                if (ReadCandidate(context, section, item, path) is { } candidate)
                {
                    candidates.Add(candidate);
                }
            }

            RateLimitOptions rates = TenancyReader.ReadRates(section.Section("rate_limits", "rate_limits"));
            section.End();
            models.Add(new ModelOptions { Name = name, Selection = selection, LossPolicy = lossPolicy, Deployments = candidates, RateLimits = rates });
        }

        return models;
    }

    private static CandidateOptions? ReadCandidate(LoadContext context, SectionReader model, YamlTree item, string path)
    {
        switch (item)
        {
            case YamlScalar { IsNull: false } scalar:
                return model.CheckName(scalar, path) ? new CandidateOptions(scalar.Text) : null;
            case YamlMap map:
                SectionReader section = new(context, "candidate", path, map);
                string? deployment = section.Reference("deployment");
                decimal weight = section.Number("weight", 0.001m, 1_000_000m) ?? 1;
                section.End();
                section.Require("deployment", "{ deployment: provider/model, weight: 2 }");
                return deployment is null ? null : new CandidateOptions(deployment, (double)weight);
            default:
                context.Faults.Error(path, item.Line, item.Column, $"a deployment is expected here, not {item.Describe()}", "provider/model");
                return null;
        }
    }
}
