using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// A Chat Completions request, read and written (https://platform.openai.com/docs/api-reference/chat/create). What only this protocol knows is kept as it
/// came and written back to this protocol only; what only another protocol knows is named as a loss.
/// </summary>
internal static partial class OpenAIChatRequest
{
    public static ChatRequest Read(ReadOnlyMemory<byte> body)
    {
        JsonCursor json = new(body);
        json.Begin();
        json.Expect(JsonTokenType.StartObject, "an object", "");
        Draft draft = new();
        while (json.NextProperty(out string name))
        {
            ReadField(ref json, name, draft);
        }

        draft.SettleTwins();
        return new ChatRequest
        {
            SourceProtocol = OpenAIChatProtocol.ProtocolName,
            Model = draft.Model is { Length: > 0 } model ? model : throw JsonCursor.Missing("/model"),
            Stream = draft.Stream,
            StreamUsage = draft.StreamUsage,
            Messages = draft.Messages ?? throw JsonCursor.Missing("/messages"),
            Tools = draft.Tools,
            ToolChoice = draft.ToolChoice,
            ParallelToolCalls = draft.ParallelToolCalls,
            MaxOutputTokens = draft.MaxOutputTokens,
            Temperature = draft.Temperature,
            TopP = draft.TopP,
            TopK = draft.TopK,
            PresencePenalty = draft.PresencePenalty,
            FrequencyPenalty = draft.FrequencyPenalty,
            Seed = draft.Seed,
            ChoiceCount = draft.ChoiceCount,
            StopSequences = draft.StopSequences,
            ResponseFormat = draft.ResponseFormat,
            Thinking = draft.Thinking,
            EndUser = draft.EndUser,
            Extras = draft.Extras,
        };
    }

    private static void ReadField(ref JsonCursor json, string name, Draft draft)
    {
        string at = JsonCursor.Below("", name);
        if (json.IsNull && name is not ("model" or "messages"))
        {
            draft.Extras.Add(json.TakeExtra(name, ""));
            return;
        }

        switch (name)
        {
            case "model":
                draft.Model = json.Text(at);
                break;
            case "messages":
                draft.Messages = ReadMessages(ref json, at);
                break;
            case "stream":
                draft.Stream = json.Flag(at);
                break;
            case "stream_options":
                ReadStreamOptions(ref json, at, draft);
                break;
            case "tools":
                draft.Tools = ReadTools(ref json, at);
                break;
            case "tool_choice":
                draft.ToolChoice = ReadToolChoice(ref json, at, draft.Extras);
                break;
            case "parallel_tool_calls":
                draft.ParallelToolCalls = new Setting<bool>(json.Flag(at), at);
                break;
            case "stop":
                draft.StopSequences = ReadStop(ref json, at);
                break;
            case "response_format":
                draft.ResponseFormat = ReadResponseFormat(ref json, at, draft.Extras);
                break;
            default:
                ReadNumber(ref json, name, at, draft);
                break;
        }
    }

    private static void ReadNumber(ref JsonCursor json, string name, string at, Draft draft)
    {
        switch (name)
        {
            case "temperature":
                draft.Temperature = new Setting<double>(json.Number(at), at);
                break;
            case "top_p":
                draft.TopP = new Setting<double>(json.Number(at), at);
                break;
            case "top_k":
                draft.TopK = new Setting<long>(json.Integer(at), at);
                break;
            case "presence_penalty":
                draft.PresencePenalty = new Setting<double>(json.Number(at), at);
                break;
            case "frequency_penalty":
                draft.FrequencyPenalty = new Setting<double>(json.Number(at), at);
                break;
            case "seed":
                draft.Seed = new Setting<long>(json.Integer(at), at);
                break;
            case "n":
                draft.ChoiceCount = new Setting<long>(json.Integer(at), at);
                break;
            case "max_completion_tokens" or "max_tokens":
                long limit = json.Integer(at);
                draft.Limits.Add((new Setting<long>(limit, at), name));
                break;
            case "user" or "safety_identifier":
                draft.EndUsers.Add((new Setting<string>(json.Text(at), at), name));
                break;
            case "reasoning_effort" or "reasoning" or "thinking":
            case "enable_thinking" when json.Token is JsonTokenType.True or JsonTokenType.False:
                draft.Reasoning.Add(json.TakeExtra(name, ""));
                break;
            default:
                draft.Extras.Add(json.TakeExtra(name, ""));
                break;
        }
    }

    private static void ReadStreamOptions(ref JsonCursor json, string at, Draft draft)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        while (json.NextProperty(out string name))
        {
            if (name == "include_usage" && !json.IsNull)
            {
                draft.StreamUsage = json.Flag($"{at}/include_usage");
            }
            else
            {
                draft.Extras.Add(json.TakeExtra(name, at));
            }
        }
    }

    private static Setting<IReadOnlyList<string>> ReadStop(ref JsonCursor json, string at)
    {
        if (json.Token == JsonTokenType.String)
        {
            return new Setting<IReadOnlyList<string>>([json.Text(at)], at);
        }

        json.Expect(JsonTokenType.StartArray, "a string or an array of strings", at);
        List<string> sequences = [];
        while (json.NextItem())
        {
            sequences.Add(json.Text(JsonCursor.Below(at, sequences.Count)));
        }

        return new Setting<IReadOnlyList<string>>(sequences, at);
    }

    public static void Write(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        bool isOwn = request.SourceProtocol == OpenAIChatProtocol.ProtocolName;
        Output output = new(json, isOwn ? request : FunctionTools.Of(request, losses, target.Has(TargetFeatures.CustomTools)), target, losses);
        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        WriteMessages(output);
        WriteTools(output);
        WriteResponseFormat(output);
        WriteSampling(output);
        WriteLimits(output);
        WriteThinking(output);
        WriteStreaming(output);
        WriteExtras(output, request.Extras, "");
        json.WriteEndObject();
    }

    private static void WriteSampling(Output output)
    {
        ChatRequest request = output.Request;
        Utf8JsonWriter json = output.Json;
        WriteNumber(json, "temperature"u8, request.Temperature);
        WriteNumber(json, "top_p"u8, request.TopP);
        WriteNumber(json, "presence_penalty"u8, request.PresencePenalty);
        WriteNumber(json, "frequency_penalty"u8, request.FrequencyPenalty);
        WriteNumber(json, "seed"u8, request.Seed);
        WriteNumber(json, "n"u8, request.ChoiceCount);
        if (request.TopK is { } topK)
        {
            // OpenAI itself has no such field and refuses the request; servers that speak its protocol have it.
            if (output.IsOwn || output.Target.Vendor != "openai")
            {
                json.WriteNumber("top_k"u8, topK.Value);
            }
            else
            {
                output.Losses.Add(topK.Pointer, "OpenAI has no top_k.");
            }
        }

        if (request.ParallelToolCalls is { } parallel)
        {
            if (output.IsOwn || (request.Tools.Count > 0 && output.Target.Has(TargetFeatures.ParallelToolCalls)))
            {
                json.WriteBoolean("parallel_tool_calls"u8, parallel.Value);
            }
            else if (!parallel.Value && request.Tools.Count > 0)
            {
                output.Losses.Add(parallel.Pointer, "The endpoint cannot be told to call one tool at a time.");
            }
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, ReadOnlySpan<byte> name, Setting<double>? setting)
    {
        if (setting is not null)
        {
            json.WriteNumber(name, setting.Value);
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, ReadOnlySpan<byte> name, Setting<long>? setting)
    {
        if (setting is not null)
        {
            json.WriteNumber(name, setting.Value);
        }
    }

    private static void WriteLimits(Output output)
    {
        ChatRequest request = output.Request;
        Utf8JsonWriter json = output.Json;
        if (request.MaxOutputTokens is { } limit)
        {
            bool isNewName = output.IsOwn && !output.Target.Has(TargetFeatures.MaxTokensOnly) ? limit.Pointer == "/max_completion_tokens" : output.Target.Has(TargetFeatures.MaxCompletionTokens);
            json.WriteNumber(isNewName ? "max_completion_tokens"u8 : "max_tokens"u8, limit.Value);
        }

        if (request.EndUser is { } user)
        {
            string name = output.IsOwn && user.Pointer == "/safety_identifier" ? "safety_identifier" : "user";
            if (output.MayHold(name, user.Pointer))
            {
                json.WriteString(name, user.Value);
            }
        }

        if (request.StopSequences is { } stop && (output.IsOwn || stop.Value.Count > 0))
        {
            int countMax = output.IsOwn || output.Target.Vendor != "openai" ? int.MaxValue : StopSequenceCountMax;
            json.WriteStartArray("stop"u8);
            for (int i = 0; i < stop.Value.Count; i++)
            {
                if (i < countMax)
                {
                    json.WriteStringValue(stop.Value[i]);
                }
                else
                {
                    output.Losses.Add(JsonCursor.Below(stop.Pointer, i), $"OpenAI takes at most {StopSequenceCountMax} stop sequences.");
                }
            }

            json.WriteEndArray();
        }
    }

    private static void WriteStreaming(Output output)
    {
        ChatRequest request = output.Request;
        Utf8JsonWriter json = output.Json;
        if (request.Stream)
        {
            json.WriteBoolean("stream"u8, true);
        }

        bool asks = output.IsOwn
            ? request.StreamUsage || (request.Stream && output.Target.Has(TargetFeatures.StreamUsage))
            : request.Stream && output.Target.Has(TargetFeatures.StreamUsage);
        List<Extra> others = output.IsOwn ? [.. request.Extras.Where(extra => IsBelow(extra, "/stream_options"))] : [];
        if (asks || others.Count > 0)
        {
            json.WriteStartObject("stream_options"u8);
            if (asks)
            {
                json.WriteBoolean("include_usage"u8, true);
            }

            WriteExtras(output, others, "/stream_options");
            json.WriteEndObject();
        }
    }

    /// <summary>Writes those extras that stood directly in the object at <paramref name="at"/>; of another protocol's, names each as a loss.</summary>
    private static void WriteExtras(Output output, IReadOnlyList<Extra> extras, string at)
    {
        foreach (Extra extra in extras)
        {
            if (!output.IsOwn)
            {
                output.LoseExtra(extra);
            }
            else if (IsBelow(extra, at) && (at.Length > 0 || SaysNothing(extra) || output.MayHold(extra.Name, extra.Pointer)))
            {
                output.Json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(output.Json);
            }
        }
    }

    /// <summary>Refused by nobody, whatever it is called.</summary>
    private static bool SaysNothing(Extra extra) => extra.Value.Utf8.Span.SequenceEqual("null"u8);

    private static bool IsBelow(Extra extra, string at) =>
        extra.Pointer.Length > at.Length && extra.Pointer.StartsWith(at, StringComparison.Ordinal) && extra.Pointer.LastIndexOf('/') == at.Length;

    /// <summary>OpenAI's limit; other servers take more.</summary>
    private const int StopSequenceCountMax = 4;

    /// <summary>Where a request goes, and what is known of it.</summary>
    private sealed record Output(Utf8JsonWriter Json, ChatRequest Request, RequestTarget Target, LossReport Losses)
    {
        /// <summary>The request came in this protocol: the caller's own words go on, as they do when bytes are spliced.</summary>
        public bool IsOwn { get; } = Request.SourceProtocol == OpenAIChatProtocol.ProtocolName;

        /// <summary>False, and declared, where the endpoint refuses the field.</summary>
        public bool MayHold(string name, string pointer)
        {
            if (!Target.RefusedFields.Contains(name, StringComparer.Ordinal))
            {
                return true;
            }

            Losses.Add(pointer, $"This endpoint does not take the field {name}.");
            return false;
        }

        public void LoseExtra(Extra extra)
        {
            if (!extra.Value.Utf8.Span.SequenceEqual("null"u8))
            {
                Losses.Add(extra.Pointer, $"The field {extra.Name} has no place in Chat Completions.");
            }
        }
    }

    /// <summary>A request while it is read.</summary>
    private sealed class Draft
    {
        public string? Model { get; set; }
        public bool Stream { get; set; }
        public bool StreamUsage { get; set; }
        public List<Message>? Messages { get; set; }
        public List<Tool> Tools { get; set; } = [];
        public ToolChoice? ToolChoice { get; set; }
        public Setting<bool>? ParallelToolCalls { get; set; }
        public Setting<long>? MaxOutputTokens { get; private set; }
        public Setting<double>? Temperature { get; set; }
        public Setting<double>? TopP { get; set; }
        public Setting<long>? TopK { get; set; }
        public Setting<double>? PresencePenalty { get; set; }
        public Setting<double>? FrequencyPenalty { get; set; }
        public Setting<long>? Seed { get; set; }
        public Setting<long>? ChoiceCount { get; set; }
        public Setting<IReadOnlyList<string>>? StopSequences { get; set; }
        public ResponseFormat? ResponseFormat { get; set; }
        public ThinkingOptions? Thinking { get; private set; }
        public Setting<string>? EndUser { get; private set; }
        public List<Extra> Extras { get; } = [];

        /// <summary>Fields of which two spellings exist: the newer one counts, the other is kept as an extra.</summary>
        public List<(Setting<long> Value, string Name)> Limits { get; } = [];
        public List<(Setting<string> Value, string Name)> EndUsers { get; } = [];
        public List<Extra> Reasoning { get; } = [];

        public void SettleTwins()
        {
            foreach ((Setting<long> value, string name) in Limits)
            {
                if (Limits.Count == 1 || name == "max_completion_tokens")
                {
                    MaxOutputTokens = value;
                }
                else
                {
                    Extras.Add(new Extra(name, value.Pointer, RawJson.From(value.Value.ToString(System.Globalization.CultureInfo.InvariantCulture))));
                }
            }

            foreach ((Setting<string> value, string name) in EndUsers)
            {
                if (EndUsers.Count == 1 || name == "safety_identifier")
                {
                    EndUser = value;
                }
                else
                {
                    Extras.Add(new Extra(name, value.Pointer, RawJson.From($"\"{JsonEncodedText.Encode(value.Value)}\"")));
                }
            }

            Thinking = SettleWish(Reasoning, Extras);
        }
    }
}
