using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;

namespace Ballast.Sandbox.Responses;

/// <summary>Reads and checks a request of the Responses API. A field that OpenAI does not know is refused, as OpenAI refuses it.</summary>
internal sealed class ResponsesRequestReader(ResponsesHouse house, ResponsesState state)
{
    private const long LeastOutputTokens = 16;
    private const int BaseTokens = 3;
    private const string Encrypted = "reasoning.encrypted_content";
    private const string Logprobs = "message.output_text.logprobs";

    private static readonly string[] s_known =
    [
        "background", "client_metadata", "context_management", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model", "moderation",
        "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "reasoning", "safety_identifier", "service_tier",
        "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    ];

    private static readonly string[] s_includes =
    [
        "code_interpreter_call.outputs", "computer_call_output.output.image_url", "file_search_call.results", "message.input_image.image_url", Logprobs, Encrypted,
        "web_search_call.results", "web_search_call.action.sources",
    ];

    /// <param name="body">The request.</param>
    /// <param name="model">Its model.</param>
    /// <param name="visit">Draws the ids of its items.</param>
    /// <param name="isCounted">Only its tokens are asked for.</param>
    public ResponsesRequest Read(JsonElement body, SandboxModel model, Server.Visit visit, bool isCounted = false)
    {
        CheckKnown(body);
        (IReadOnlyList<string> earlier, string? conversation) = ReadEarlier(body);
        ResponsesInput input = new(house, state);
        if (ChatFields.Text(body, "instructions", "instructions") is { } instructions)
        {
            input.AddInstructions(instructions);
        }

        foreach (string kept in earlier)
        {
            using JsonDocument item = JsonDocument.Parse(kept);
            input.Add(item.RootElement, "input", isOwn: false);
        }

        List<string> own = ReadInput(body, input, visit, isRequired: earlier.Count == 0 && !isCounted);
        input.CheckEnded();
        IReadOnlyList<ToolSpec> tools = ResponsesTools.Read(body, house.IsLenient);
        (ToolUse use, string? named, IReadOnlyList<ToolSpec> allowed) = ResponsesTools.ReadChoice(body, tools);
        (bool isJson, JsonElement? schema) = ReadFormat(body, input);
        HashSet<string> includes = ReadIncludes(body);
        bool isStored = ChatFields.Flag(body, "store", true, "store");
        string text = input.Text + Raw(body, "tools") + Raw(body, "text");
        return new ResponsesRequest
        {
            Prompt = new Prompt
            {
                Platform = house.Platform,
                Model = model.Name,
                System = input.System,
                Turns = input.Turns,
                Tools = allowed,
                ToolUse = use,
                NamedTool = named,
                ParallelCalls = ChatFields.Flag(body, "parallel_tool_calls", true, "parallel_tool_calls"),
                AnswerIsJson = isJson,
                AnswerSchema = schema,
                MaxTokens = ReadMaxTokens(body),
                ThinkingTokens = ReadEffort(body, model),
                Fingerprint = text + Raw(body, "reasoning") + Raw(body, "tool_choice"),
            },
            InputText = text,
            InputTokens = BaseTokens + input.OverheadTokens + Tokens.Count(text),
            OwnItems = own,
            EarlierItems = earlier,
            Echo = Echo(body, isStored, conversation),
            Stream = ChatFields.Flag(body, "stream", false, "stream"),
            Background = ReadBackground(body, isStored),
            Store = isStored,
            Obfuscates = ChatFields.Object(body, "stream_options", "stream_options") is not { } options
                || ChatFields.Flag(options, "include_obfuscation", true, "stream_options.include_obfuscation"),
            Summarises = ChatFields.Object(body, "reasoning", "reasoning") is { } reasoning
                && (ChatFields.Text(reasoning, "summary", "reasoning.summary") ?? ChatFields.Text(reasoning, "generate_summary", "reasoning.generate_summary")) is not null,
            GivesEncrypted = includes.Contains(Encrypted),
            GivesLogprobs = includes.Contains(Logprobs) || ChatFields.Integer(body, "top_logprobs", 0) > 0,
            ConversationId = conversation,
        };
    }

    /// <summary>An input item as it is kept: a message with its type, content in parts, and an id.</summary>
    public static string Normal(JsonElement item, Server.Visit visit)
    {
        JsonObject kept = JsonNode.Parse(item.GetRawText())!.AsObject();
        string type = (string?)kept["type"] ?? "message";
        kept["type"] = type;
        kept["id"] ??= NewId(visit, type switch { "message" => "msg_", "function_call" => "fc_", "custom_tool_call" => "ctc_", "reasoning" => "rs_", _ => "item_" });
        if (type == "message" && kept["content"] is JsonValue text && text.GetValueKind() == JsonValueKind.String)
        {
            string part = (string?)kept["role"] == "assistant" ? "output_text" : "input_text";
            kept["content"] = new JsonArray(new JsonObject { ["type"] = part, ["text"] = text.DeepClone() });
        }

        if (type == "message")
        {
            kept["status"] ??= "completed";
        }

        return kept.ToJsonString(RelaxedJson.Options);
    }

    public static string NewId(Server.Visit visit, string prefix)
    {
        Dice dice = visit.Dice;
        string id = prefix + dice.NextHex(48);
        visit.Dice = dice;
        return id;
    }

    private static string Raw(JsonElement body, string name) => ChatFields.Find(body, name) is { } value ? value.GetRawText() : "";

    private void CheckKnown(JsonElement body)
    {
        foreach (JsonProperty field in body.EnumerateObject())
        {
            if (!house.IsLenient && !s_known.Contains(field.Name))
            {
                throw ChatErrors.Refused(field.Name, "unknown_parameter", $"Unknown parameter: '{field.Name}'.");
            }
        }

        ChatFields.Decimal(body, "temperature", 0, 2);
        ChatFields.Decimal(body, "top_p", 0, 1);
        ChatFields.Object(body, "metadata", "metadata");
    }

    private (IReadOnlyList<string> Items, string? Conversation) ReadEarlier(JsonElement body)
    {
        string? previous = ChatFields.Text(body, "previous_response_id", "previous_response_id");
        string? conversation = ChatFields.Find(body, "conversation") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } name => ChatFields.Text(name),
            { ValueKind: JsonValueKind.Object } holder => ChatFields.Text(holder, "id", "conversation.id") ?? throw ChatErrors.Missing("conversation.id"),
            { } other => throw ChatErrors.WrongType("conversation", "one of a string or object", other),
        };
        if (previous is not null && conversation is not null)
        {
            throw ResponsesErrors.Refused(
                "previous_response_id", "mutually_exclusive_parameters", "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them.");
        }

        if (previous is not null)
        {
            KeptAnswer kept = state.FindAnswer(previous) ?? throw ResponsesErrors.PreviousNotFound(previous);
            return ([.. kept.Reply.Request.EarlierItems, .. kept.Reply.Request.OwnItems, .. kept.Reply.Items.Select(item => kept.Reply.Describe(item).ToJsonString(RelaxedJson.Options))], null);
        }

        if (conversation is null)
        {
            return ([], null);
        }

        KeptConversation found = state.FindConversation(conversation) ?? throw ResponsesErrors.ConversationNotFound(conversation);
        lock (found.Turn)
        {
            return ([.. found.Items.Select(static item => item.Json)], conversation);
        }
    }

    private static List<string> ReadInput(JsonElement body, ResponsesInput into, Server.Visit visit, bool isRequired)
    {
        switch (ChatFields.Find(body, "input"))
        {
            case null when !isRequired:
                return [];
            case null:
                throw ResponsesErrors.Refused(
                    "input", "missing_required_parameter", "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.");
            case { ValueKind: JsonValueKind.String } text:
                using (JsonDocument item = JsonDocument.Parse(new JsonObject { ["role"] = "user", ["content"] = ChatFields.Text(text) }.ToJsonString(RelaxedJson.Options)))
                {
                    into.Add(item.RootElement, "input[0]", isOwn: true);
                    return [Normal(item.RootElement, visit)];
                }

            case { ValueKind: JsonValueKind.Array } list:
                List<string> own = [];
                foreach (JsonElement item in list.EnumerateArray())
                {
                    into.Add(item, $"input[{own.Count}]", isOwn: true);
                    own.Add(Normal(item, visit));
                }

                return own;
            case { } other:
                throw ChatErrors.WrongType("input", "one of an array of input items or string", other);
        }
    }

    private static long? ReadMaxTokens(JsonElement body) => ChatFields.Integer(body, "max_output_tokens", LeastOutputTokens);

    private static bool ReadBackground(JsonElement body, bool isStored)
    {
        bool isBackground = ChatFields.Flag(body, "background", false, "background");
        return !isBackground || isStored
            ? isBackground
            : throw ResponsesErrors.Refused("background", null, "Background mode requires store=true. Please set `store` to true to use background mode.");
    }

    private static HashSet<string> ReadIncludes(JsonElement body)
    {
        HashSet<string> includes = new(StringComparer.Ordinal);
        if (ChatFields.List(body, "include", "an array of strings", "include") is { } list)
        {
            int index = 0;
            foreach (JsonElement item in list.EnumerateArray())
            {
                string word = item.ValueKind == JsonValueKind.String ? ChatFields.Text(item) : throw ChatErrors.WrongType($"include[{index}]", "a string", item);
                includes.Add(s_includes.Contains(word)
                    ? word
                    : throw ChatErrors.BadValue(
                        $"include[{index}]", $"Invalid value: '{word}'. Supported values are: {string.Join(", ", s_includes.Select(static known => $"'{known}'"))}."));
                index++;
            }
        }

        return includes;
    }

    /// <summary>Reasoning happens only when asked for.</summary>
    private long ReadEffort(JsonElement body, SandboxModel model)
    {
        if (ChatFields.Object(body, "reasoning", "reasoning") is not { } reasoning || ChatFields.Text(reasoning, "effort", "reasoning.effort") is not { } effort)
        {
            return 0;
        }

        return !model.Thinking && !house.IsLenient ? throw ResponsesErrors.Unsupported("reasoning.effort") : effort switch
        {
            "none" or "minimal" => 0,
            "low" => 64,
            "medium" => 128,
            "high" or "xhigh" or "max" => 256,
            _ => throw ChatErrors.BadValue(
                "reasoning.effort", $"Invalid value: '{effort}'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', and 'xhigh'."),
        };
    }

    private (bool IsJson, JsonElement? Schema) ReadFormat(JsonElement body, ResponsesInput input)
    {
        if (ChatFields.Object(body, "text", "text") is not { } text || ChatFields.Object(text, "format", "text.format") is not { } format)
        {
            return (false, null);
        }

        string type = ChatFields.Text(format, "type", "text.format.type") ?? throw ChatErrors.Missing("text.format.type");
        switch (type)
        {
            case "text":
                return (false, null);
            case "json_object" when !input.Text.Contains("json", StringComparison.OrdinalIgnoreCase):
                throw ResponsesErrors.Refused(
                    "input", null, "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.");
            case "json_object":
                return (true, null);
            case "json_schema":
                return (true, ReadSchema(format));
            default:
                throw ChatErrors.BadValue("text.format.type", $"Invalid value: '{type}'. Supported values are: 'json_object', 'json_schema', and 'text'.");
        }
    }

    private JsonElement ReadSchema(JsonElement format)
    {
        const string Path = "text.format";
        string name = ChatFields.Text(format, "name", Path + ".name") ?? throw ChatErrors.Missing(Path + ".name");
        if (!ChatTools.IsName(name))
        {
            throw ChatErrors.BadValue(
                Path + ".name", $"Invalid '{Path}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.");
        }

        JsonElement schema = ChatFields.Object(format, "schema", Path + ".schema") ?? throw ChatErrors.Missing(Path + ".schema");
        if (!house.IsLenient && ChatFields.Flag(format, "strict", false, Path + ".strict"))
        {
            StrictSchema.Check(schema, $"Invalid schema for response_format '{name}'", Path + ".schema");
        }

        return schema;
    }

    private static JsonObject Echo(JsonElement body, bool isStored, string? conversation)
    {
        JsonNode? Given(string name, JsonNode? otherwise = null) => ChatFields.Find(body, name) is { } value ? JsonNode.Parse(value.GetRawText()) : otherwise;
        JsonObject reasoning = ChatFields.Find(body, "reasoning") is { ValueKind: JsonValueKind.Object } told ? JsonNode.Parse(told.GetRawText())!.AsObject() : [];
        reasoning["effort"] ??= null;
        reasoning["summary"] ??= null;
        JsonObject text = ChatFields.Find(body, "text") is { ValueKind: JsonValueKind.Object } format ? JsonNode.Parse(format.GetRawText())!.AsObject() : [];
        text["format"] ??= new JsonObject { ["type"] = "text" };
        text["verbosity"] ??= "medium";
        JsonObject echo = new()
        {
            ["instructions"] = Given("instructions"),
            ["max_output_tokens"] = Given("max_output_tokens"),
            ["max_tool_calls"] = Given("max_tool_calls"),
            ["parallel_tool_calls"] = Given("parallel_tool_calls", true),
            ["previous_response_id"] = Given("previous_response_id"),
            ["prompt_cache_key"] = Given("prompt_cache_key"),
            ["reasoning"] = reasoning,
            ["safety_identifier"] = Given("safety_identifier"),
            ["service_tier"] = Given("service_tier", "auto"),
            ["store"] = isStored,
            ["temperature"] = Given("temperature", 1.0),
            ["text"] = text,
            ["tool_choice"] = Given("tool_choice", "auto"),
            ["tools"] = ResponsesTools.Echo(body),
            ["top_logprobs"] = Given("top_logprobs", 0),
            ["top_p"] = Given("top_p", 1.0),
            ["truncation"] = Given("truncation", "disabled"),
            ["user"] = Given("user"),
            ["metadata"] = Given("metadata", new JsonObject()),
        };
        if (conversation is not null)
        {
            echo["conversation"] = new JsonObject { ["id"] = conversation };
        }

        return echo;
    }
}
