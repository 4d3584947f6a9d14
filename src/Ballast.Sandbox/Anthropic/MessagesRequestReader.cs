using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>What the path of a request says on a cloud that serves Claude models under its own paths; the default says nothing, as at Anthropic itself.</summary>
/// <param name="Model">The model, where the path names it.</param>
/// <param name="Stream">Whether a stream is asked for, where the path says so.</param>
/// <param name="Version">What <c>anthropic_version</c> must be in the body; null where the version is a header.</param>
/// <param name="TakesStream">The body may hold <c>stream</c> beside the path.</param>
/// <param name="TakesModel">The body names the model, though the version is there as well.</param>
/// <param name="TakesDates">The version may also be a date, as it stands in the header at Anthropic.</param>
internal readonly record struct ClaudePath(string? Model, bool? Stream, string? Version, bool TakesStream = false, bool TakesModel = false, bool TakesDates = false);

/// <summary>Reads and checks a Messages request; top-level fields that Anthropic does not know are refused.</summary>
internal static class MessagesRequestReader
{
    private const int MaxOutputTokens = 64_000;

    private static readonly HashSet<string> Known =
    [
        "model", "messages", "max_tokens", "system", "metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p", "tools",
        "tool_choice", "thinking", "service_tier", "container", "context_management", "mcp_servers", "output_config", "output_format",
        "inference_geo", "cache_control", "speed",
    ];

    /// <param name="body">The request.</param>
    /// <param name="platform">The platform's name.</param>
    /// <param name="model">The model as the platform knows it.</param>
    /// <param name="signature">Checks replayed thinking.</param>
    /// <param name="countsOnly">Only tokens are wanted: <c>max_tokens</c> may be missing.</param>
    /// <param name="path">What the path says on a platform that has the model there.</param>
    public static MessagesRequest Read(
        JsonElement body, string platform, string model, ThinkingSignature signature, bool countsOnly, ClaudePath path = default)
    {
        CheckFields(body, path);
        long maxTokens = ReadMaxTokens(body, model, countsOnly);
        InputBlocks blocks = new();
        IReadOnlyList<ToolSpec> tools = MessagesTools.Read(body, blocks);
        (ToolUse use, string? named, bool isParallel) = MessagesTools.ReadChoice(body, tools);
        MessagesContent content = new(signature, blocks);
        string system = content.ReadSystem(body);
        content.ReadMessages(body);
        blocks.MarkLast(body);
        MessagesThinking thinking = MessagesThinking.Read(body, countsOnly ? long.MaxValue : maxTokens);
        thinking.Check(body, use, named);
        thinking.CheckReplay(content.Messages);
        CheckSampling(body);
        (bool isJson, JsonElement? schema) = ReadFormat(body);
        return new MessagesRequest
        {
            Prompt = new Prompt
            {
                Platform = platform,
                Model = model,
                System = system,
                Turns = content.Turns(),
                Tools = tools,
                ToolUse = use,
                NamedTool = named,
                ParallelCalls = isParallel,
                AnswerIsJson = isJson,
                AnswerSchema = schema,
                MaxTokens = maxTokens,
                Stops = ReadStops(body),
                ThinkingTokens = thinking.IsOn ? thinking.Budget : 0,
                Fingerprint = Fingerprint(body),
            },
            Blocks = blocks.All,
            InputTokens = blocks.All.Sum(block => block.Tokens),
            Stream = path.Stream ?? MessagesFields.Flag(body, "stream", "stream"),
            OmitsThinkingText = thinking.OmitsText,
        };
    }

    private static void CheckFields(JsonElement body, ClaudePath path)
    {
        foreach (JsonProperty property in body.EnumerateObject())
        {
            bool isKnown = path.Version is null
                ? Known.Contains(property.Name)
                : property.Name is "anthropic_version" or "anthropic_beta"
                    || (Known.Contains(property.Name) && (property.Name != "model" || path.TakesModel) && (property.Name != "stream" || path.TakesStream));
            if (!isKnown)
            {
                throw MessagesErrors.Invalid(property.Name, "Extra inputs are not permitted");
            }
        }

        bool mayLack = path.TakesModel && MessagesFields.Find(body, "anthropic_version") is null;
        if (path.Version is { } version && !mayLack && MessagesFields.RequiredText(body, "anthropic_version", "anthropic_version") is var told && told != version
            && !(path.TakesDates && DateOnly.TryParseExact(told, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)))
        {
            throw MessagesErrors.Invalid("anthropic_version", $"Input should be '{version}'");
        }
    }

    private static long ReadMaxTokens(JsonElement body, string model, bool countsOnly)
    {
        long? given = MessagesFields.Integer(body, "max_tokens", "max_tokens", 1);
        if (given is null && !countsOnly)
        {
            throw MessagesErrors.Missing("max_tokens");
        }

        return given > MaxOutputTokens
            ? throw MessagesErrors.Invalid(
                $"max_tokens: {given} > {MaxOutputTokens}, which is the maximum allowed number of output tokens for {model}")
            : given ?? MaxOutputTokens;
    }

    private static void CheckSampling(JsonElement body)
    {
        MessagesFields.Decimal(body, "temperature", 0, 1);
        MessagesFields.Decimal(body, "top_p", 0, 1);
        MessagesFields.Integer(body, "top_k", "top_k", 0);
        MessagesFields.Object(body, "metadata", "metadata");
    }

    private static List<string> ReadStops(JsonElement body)
    {
        if (MessagesFields.List(body, "stop_sequences", "stop_sequences") is not { } list)
        {
            return [];
        }

        List<string> stops = [];
        foreach (JsonElement stop in list.EnumerateArray())
        {
            string path = $"stop_sequences.{stops.Count}";
            string text = stop.ValueKind == JsonValueKind.String
                ? MessagesFields.Text(stop)
                : throw MessagesErrors.Invalid(path, "Input should be a valid string");
            stops.Add(!string.IsNullOrWhiteSpace(text)
                ? text
                : throw MessagesErrors.Invalid("stop_sequences: each stop sequence must contain non-whitespace"));
        }

        return stops;
    }

    private static (bool IsJson, JsonElement? Schema) ReadFormat(JsonElement body)
    {
        JsonElement? format = MessagesFields.Object(body, "output_format", "output_format");
        string path = "output_format";
        if (MessagesFields.Object(body, "output_config", "output_config") is { } config
            && MessagesFields.Object(config, "format", "output_config.format") is { } nested)
        {
            (format, path) = (nested, "output_config.format");
        }

        if (format is not { } asked)
        {
            return (false, null);
        }

        string type = MessagesFields.RequiredText(asked, "type", path + ".type");
        return type == "json_schema"
            ? (true, MessagesFields.Object(asked, "schema", path + ".schema") ?? throw MessagesErrors.Missing(path + ".schema"))
            : throw MessagesErrors.Invalid(path + ".type", "Input should be 'json_schema'");
    }

    private static string Fingerprint(JsonElement body)
    {
        StringBuilder text = new();
        foreach (JsonProperty property in body.EnumerateObject())
        {
            if (property.Name is not ("model" or "stream" or "metadata" or "service_tier"))
            {
                text.Append(property.Name).Append('=').Append(property.Value.GetRawText()).Append(';');
            }
        }

        return text.ToString();
    }
}
