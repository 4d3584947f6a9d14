namespace Ballast.Configuration;

/// <summary>Reads <c>telemetry:</c>.</summary>
internal static class TelemetryReader
{
    private const string ResourceRule = "letters, digits, '.', '_' and '-', such as deployment.environment.name";

    public static TelemetryOptions Read(LoadContext context, SectionReader? section)
    {
        TelemetryOptions defaults = new();
        if (section is null)
        {
            return defaults;
        }

        IReadOnlyList<string>? signals = Words(section, "signals");
        TelemetryOptions options = new()
        {
            Endpoint = section.Address("endpoint"),
            IsGrpc = section.OneOf("protocol", ["http/protobuf", "grpc"]) == "grpc",
            Headers = ReadHeaders(context, section.Section("headers", "telemetry headers")),
            SendsTraces = signals?.Contains("traces") ?? true,
            SendsMetrics = signals?.Contains("metrics") ?? true,
            Sample = (double)(section.Number("sample", 0, 1) ?? 1),
            MetricsInterval = section.Duration("metrics_interval", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)) ?? defaults.MetricsInterval,
            QueueMax = section.Whole("queue_max", 64, 1_000_000) ?? defaults.QueueMax,
            ServiceName = section.Text("service_name") ?? defaults.ServiceName,
            Resource = ReadResource(context, section),
            TrustedCallers = Words(section, "trusted_callers") ?? [],
            TellsProviders = section.Flag("tell_providers") ?? true,
            Content = Words(section, "content") ?? [],
            ContentBytesMax = section.Size("content_max", 256, 4 * 1024 * 1024) ?? defaults.ContentBytesMax,
        };
        section.End();
        foreach (string signal in signals ?? [])
        {
            if (signal is not ("traces" or "metrics"))
            {
                section.Error("signals", "a signal is 'traces' or 'metrics'", "signals: [traces, metrics]");
            }
        }

        return options;
    }

    private static List<string>? Words(SectionReader section, string key)
    {
        if (section.Scalars(key) is not { } scalars)
        {
            return null;
        }

        List<string> words = [];
        foreach ((YamlScalar scalar, string path) in scalars)
        {
            if (scalar.Text == "*" || ConfiguredName.IsWord(scalar.Text))
            {
                words.Add(scalar.Text);
            }
            else
            {
                section.Fault(scalar, path, "not a name", "lower-case words, or '*' for all");
            }
        }

        return words;
    }

    /// <summary>Collectors are signed in to by headers: their values come from the environment or from files, never from this one.</summary>
    private static List<KeyValuePair<string, SecretOptions>> ReadHeaders(LoadContext context, SectionReader? section)
    {
        List<KeyValuePair<string, SecretOptions>> headers = [];
        if (section is null)
        {
            return headers;
        }

        foreach (string name in section.Keys.Select(static key => Plain(key)).Distinct(StringComparer.OrdinalIgnoreCase).ToArray())
        {
            SecretOptions? value = SecretReader.Read(context, section, name, [], literal: null, mayHoldSpaces: true);
            if (HeaderRule.IsName(name) && value is not null)
            {
                headers.Add(new KeyValuePair<string, SecretOptions>(name, value));
            }
            else if (value is not null)
            {
                section.Error(name, "this is not a header's name", "letters, digits, '-' and '_'");
            }
        }

        return headers;
    }

    private static string Plain(string key) =>
        key.EndsWith("_env", StringComparison.Ordinal) ? key[..^"_env".Length] : key.EndsWith("_file", StringComparison.Ordinal) ? key[..^"_file".Length] : key;

    private static List<KeyValuePair<string, string>> ReadResource(LoadContext context, SectionReader section)
    {
        List<KeyValuePair<string, string>> resource = [];
        foreach ((string name, string value, string path) in section.NamedTexts("resource"))
        {
            if (name.Length is > 0 and <= 128 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            {
                resource.Add(new KeyValuePair<string, string>(name, value));
                continue;
            }

            (int line, int column) = context.Source.At(path);
            context.Faults.Error(path, line, column, "this cannot be an attribute's name", ResourceRule);
        }

        return resource;
    }
}
