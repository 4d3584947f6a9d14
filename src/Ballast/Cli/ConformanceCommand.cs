using System.CommandLine;
using Ballast.Cli.Conformance;

namespace Ballast.Cli;

/// <summary><c>ballast conformance</c>: tries any gateway or provider from outside. Exit code 0 if no check failed, 1 if one did, 2 if nothing could be tried.</summary>
public static class ConformanceCommand
{
    private const int TimeoutSecondsDefault = 60;

    private static readonly string s_names = string.Join(',', Surface.All);

    private static readonly Option<string> Url = new("--url") { Description = "Where the server is, with or without /v1.", Required = true };
    private static readonly Option<string?> Key = new("--key") { Description = "The API key. On shared machines take --key-env: command lines can be seen by others." };
    private static readonly Option<string?> KeyEnv = new("--key-env") { Description = "The environment variable that holds the API key." };
    private static readonly Option<string?> Model = new("--model") { Description = "The model to ask for. Default: the first that the server lists." };
    private static readonly Option<string> Surfaces = new("--surface")
    {
        Description = $"Which protocols to try, with commas: {s_names}.",
        DefaultValueFactory = _ => s_names,
    };
    private static readonly Option<string[]> Headers = new("--header") { Description = "A further header for every request, as 'name: value'; may be repeated." };
    private static readonly Option<int> TimeoutSeconds = new("--timeout")
    {
        Description = "Seconds that one answer may take.",
        DefaultValueFactory = _ => TimeoutSecondsDefault,
    };
    private static readonly Option<bool> AsJson = new("--json") { Description = "One line of JSON on standard output." };
    private static readonly Option<bool> AsMarkdown = new("--md") { Description = "The table in Markdown." };

    public static Command Create()
    {
        Command command = new(
            "conformance",
            """
            Try any gateway or provider from outside.

            Does it speak OpenAI's Chat Completions and Responses, Anthropic's Messages,
            Google's generateContent and AWS's Converse as their documents say, and does it refuse wrong requests clearly?

            About forty checks for each protocol, one after the other: whole answers and streams, tools, structured output,
            images, thinking, usage, errors. Some fifty short requests go out for each, so a real vendor's bill is small, not
            nothing. A protocol that the server does not have, and optional features that the model clearly refuses, count as
            'not offered', not as failed. Shares no code with the gateway's own reading and writing.

            Exit code: 0 no check failed, 1 some did, 2 a wrong argument or a server that does not answer.

            Examples:
              ballast conformance --url http://127.0.0.1:8080 --key ballast-demo --model openai/gpt-5-mini
              ballast conformance --url http://127.0.0.1:8080 --key ballast-demo --surface gemini,bedrock --model anthropic/claude-haiku-4-5
              ballast conformance --url https://api.anthropic.com --key-env ANTHROPIC_API_KEY --surface messages --model claude-haiku-4-5
              ballast conformance --url http://127.0.0.1:8787 --key KEY --header 'x-portkey-provider: openai' --md
            """)
        {
            Url, Key, KeyEnv, Model, Surfaces, Headers, TimeoutSeconds, AsJson, AsMarkdown,
        };
        TimeoutSeconds.Validators.Add(result =>
        {
            // The text is looked at: asking for the value of one that is no number throws.
            if (result.Tokens.Any(static token => !int.TryParse(token.Value, System.Globalization.CultureInfo.InvariantCulture, out int seconds) || seconds is < 1 or > 3600))
            {
                result.AddError("--timeout takes a whole number of seconds from 1 to 3600.");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            return await TryAsync(parsed, cancellation).ConfigureAwait(false);
        }
        catch (UsageException fault)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"error: {fault.Message}").ConfigureAwait(false);
            return CommandLine.UsageError;
        }
    }

    private static async Task<int> TryAsync(ParseResult parsed, CancellationToken cancellation)
    {
        Surface[] surfaces = [.. ReadSurfaces(parsed.GetRequiredValue(Surfaces))];
        TimeSpan timeout = TimeSpan.FromSeconds(parsed.GetValue(TimeoutSeconds));
        KeyValuePair<string, string>[] headers = [.. (parsed.GetValue(Headers) ?? []).Select(ReadHeader)];
        using Subject nameless = new(ReadUrl(parsed.GetRequiredValue(Url)), ReadKey(parsed), "", headers, timeout);
        string model = parsed.GetValue(Model) ?? await FirstModelAsync(nameless, surfaces[0], cancellation).ConfigureAwait(false);
        using Subject subject = new(new Uri(nameless.Root), nameless.Key, model, headers, timeout);
        TextWriter progress = parsed.InvocationConfiguration.Error;
        IReadOnlyList<CheckResult> results = await ConformanceRun.RunAsync(
            subject, surfaces, result => progress.WriteLine($"{result.Check.Surface}/{result.Check.Name}: {result.Outcome}"), cancellation).ConfigureAwait(false);
        Write(parsed, results, subject);
        if (results.All(static result => result.Outcome == CheckOutcome.NotOffered))
        {
            throw new UsageException($"nothing could be tried: {results[0].Detail}");
        }

        return ConformanceView.Count(results, CheckOutcome.Failed) == 0 ? 0 : 1;
    }

    private static void Write(ParseResult parsed, IReadOnlyList<CheckResult> results, Subject subject)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(AsJson))
        {
            ReportJson.WriteLine(output, writer => ConformanceView.WriteJson(writer, results, subject));
            return;
        }

        ReportTable table = ConformanceView.Table(results, $"{subject.Root}, model {subject.Model}: {ConformanceView.Summary(results)}");
        if (parsed.GetValue(AsMarkdown))
        {
            table.WriteMarkdown(output);
        }
        else
        {
            table.WriteTerminal(output);
        }
    }

    private static IEnumerable<Surface> ReadSurfaces(string text) =>
        text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)
            .Select(name => Surface.All.FirstOrDefault(surface => surface.Name == name)
                ?? throw new UsageException($"there is no surface '{name}': {s_names} can be tried."))
            .DefaultIfEmpty(Surface.Chat);

    private static Uri ReadUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? url
            : throw new UsageException($"--url takes an address such as http://127.0.0.1:8080, not '{text}'.");

    private static string ReadKey(ParseResult parsed) => (parsed.GetValue(Key), parsed.GetValue(KeyEnv)) switch
    {
        ({ Length: > 0 } key, null) => key,
        (null, { } variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } key
            ? key
            : throw new UsageException($"environment variable {variable} is not set."),
        _ => throw new UsageException("give the key by --key or by --key-env, one of the two."),
    };

    private static KeyValuePair<string, string> ReadHeader(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            ? new KeyValuePair<string, string>(text[..colon].Trim(), text[(colon + 1)..].Trim())
            : throw new UsageException($"--header takes 'name: value', not '{text}'.");
    }

    private static async Task<string> FirstModelAsync(Subject subject, Surface surface, CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<string> names = await ModelList.ReadAsync(subject, surface, cancellation).ConfigureAwait(false);
            return names.Count > 0 ? names[0] : throw new UsageException("the server lists no models: name one with --model.");
        }
        catch (NonconformanceException fault)
        {
            throw new UsageException($"the server's models cannot be listed ({fault.Message}): name one with --model.");
        }
    }
}
