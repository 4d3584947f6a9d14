using System.Text.Json;
using Ballast.Sandbox.Anthropic;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Bedrock;

/// <summary>A checked Converse request.</summary>
internal sealed record ConverseRequest(Prompt Prompt, IReadOnlyList<InputBlock> Blocks, bool OmitsThinking)
{
    private const int MaxOutputTokens = 64_000;
    private const int StopsMax = 2500;

    public long InputTokens => Blocks.Sum(static block => block.Tokens);

    /// <exception cref="VendorErrorException">The request is refused.</exception>
    public static ConverseRequest Read(JsonElement body, string platform, BedrockModel model, ThinkingSignature signature)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw ConverseFields.Wrong();
        }

        ConverseContent content = new(model, signature);
        ConverseTools tools = ConverseTools.Read(body, content);
        string system = content.ReadSystem(body);
        content.ReadMessages(body);
        if (tools.Specs.Count == 0 && content.Messages.Any(static message => message.Calls.Count + message.Results.Count > 0) && ConverseFields.Object(body, "toolConfig") is null)
        {
            throw BedrockErrors.Invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.");
        }

        (long maxTokens, List<string> stops) = ReadInference(body);
        MessagesThinking thinking = ReadModelFields(body, model, maxTokens, tools, content);
        JsonElement? schema = ReadSchema(body, model);
        Prompt prompt = new()
        {
            Platform = platform,
            Model = model.Id,
            System = system,
            Turns = MessagesContent.TurnsOf(content.Messages),
            Tools = tools.Specs,
            ToolUse = tools.Use,
            NamedTool = tools.Named,
            AnswerIsJson = schema is not null,
            AnswerSchema = schema,
            MaxTokens = maxTokens,
            Stops = stops,
            ThinkingTokens = thinking.IsOn ? thinking.Budget : 0,
            Fingerprint = Fingerprint(body),
        };
        return new ConverseRequest(prompt, content.Blocks, thinking.OmitsText);
    }

    private static (long MaxTokens, List<string> Stops) ReadInference(JsonElement body)
    {
        JsonElement inference = ConverseFields.Object(body, "inferenceConfig") ?? default;
        double limit = ConverseFields.Number(inference, "maxTokens") ?? MaxOutputTokens;
        if (limit < 1 || limit != Math.Floor(limit))
        {
            throw BedrockErrors.Invalid($"1 validation error detected: Value '{limit}' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1");
        }

        if (limit > MaxOutputTokens)
        {
            throw BedrockErrors.Invalid($"The maximum tokens you requested exceeds the model limit of {MaxOutputTokens}. Try again with a maximum tokens value that is lower than {MaxOutputTokens}.");
        }

        foreach (string name in (ReadOnlySpan<string>)["temperature", "topP"])
        {
            if (ConverseFields.Number(inference, name) is { } value and (< 0 or > 1))
            {
                throw BedrockErrors.Invalid($"1 validation error detected: Value '{value}' at 'inferenceConfig.{name}' failed to satisfy constraint: Member must have value less than or equal to 1");
            }
        }

        List<string> stops = [.. (ConverseFields.List(inference, "stopSequences")?.EnumerateArray() ?? default).Select(static stop => ConverseFields.TextOf(stop))];
        return stops.Count > StopsMax || stops.Exists(string.IsNullOrWhiteSpace)
            ? throw BedrockErrors.ByModel("stop_sequences: each stop sequence must contain non-whitespace")
            : ((long)limit, stops);
    }

    /// <summary>The model's own fields are checked by the model.</summary>
    private static MessagesThinking ReadModelFields(JsonElement body, BedrockModel model, long maxTokens, ConverseTools tools, ConverseContent content)
    {
        if (ConverseFields.Object(body, "additionalModelRequestFields") is not { } fields)
        {
            return default;
        }

        if (model.Claude is null)
        {
            string? foreign = fields.EnumerateObject().Select(static field => field.Name).FirstOrDefault(static name => name is "thinking" or "anthropic_beta" or "top_k");
            return foreign is null ? default : throw BedrockErrors.ByModel($"Malformed input request: extraneous key [{foreign}] is not permitted, please reformat your input and try again.");
        }

        ClaudeBetas.Check(fields);
        try
        {
            MessagesThinking thinking = MessagesThinking.Read(fields, maxTokens);
            thinking.Check(fields, tools.Use, tools.Named);
            thinking.CheckReplay(content.Messages);
            return thinking;
        }
        catch (VendorErrorException refused)
        {
            throw BedrockErrors.ByModel(refused.Error.Message);
        }
    }

    private static JsonElement? ReadSchema(JsonElement body, BedrockModel model)
    {
        if (ConverseFields.Object(body, "outputConfig") is not { } output || ConverseFields.Object(output, "textFormat") is not { } format)
        {
            return null;
        }

        if (model.Claude is null)
        {
            throw BedrockErrors.Invalid("This model doesn't support the outputConfig field. Remove outputConfig and try again.");
        }

        if (ConverseFields.RequiredText(format, "type", "outputConfig.textFormat") != "json_schema")
        {
            throw ConverseFields.NotOneOf(format.GetProperty("type").ToString(), "outputConfig.textFormat.type", "json_schema");
        }

        JsonElement structure = ConverseFields.RequiredObject(format, "structure", "outputConfig.textFormat");
        JsonElement named = ConverseFields.RequiredObject(structure, "jsonSchema", "outputConfig.textFormat.structure");
        try
        {
            using JsonDocument schema = JsonDocument.Parse(ConverseFields.RequiredText(named, "schema", "outputConfig.textFormat.structure.jsonSchema"));
            return schema.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw BedrockErrors.Invalid("The value at outputConfig.textFormat.structure.jsonSchema.schema is not valid JSON.");
        }
    }

    private static string Fingerprint(JsonElement body) => string.Concat(
        body.EnumerateObject().Where(static field => field.Name is not ("requestMetadata" or "performanceConfig" or "serviceTier"))
            .Select(static field => $"{field.Name}={field.Value.GetRawText()};"));
}
