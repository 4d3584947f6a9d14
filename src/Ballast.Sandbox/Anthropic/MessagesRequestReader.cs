using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

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
    public static MessagesRequest Read(JsonElement body, string platform, string model, ThinkingSignature signature, bool countsOnly)
    {
        foreach (JsonProperty property in body.EnumerateObject())
        {
            if (!Known.Contains(property.Name))
            {
                throw MessagesErrors.Invalid(property.Name, "Extra inputs are not permitted");
            }
        }

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
            Stream = MessagesFields.Flag(body, "stream", "stream"),
            OmitsThinkingText = thinking.OmitsText,
        };
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
