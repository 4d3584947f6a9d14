using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a Chat Completions request says.</summary>
internal static class ChatRequestFacts
{
    public static void Read(JsonElement root, RequestFacts facts)
    {
        bool hasNewLimit = JsonWalk.Get(root, "max_completion_tokens") is not null;
        bool hasNewUser = JsonWalk.Get(root, "safety_identifier") is not null;
        foreach (JsonProperty field in root.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null))
        {
            string at = JsonWalk.Below("", field.Name);
            switch (field.Name)
            {
                case "model":
                    break;
                case "messages":
                    ReadMessages(field.Value, facts);
                    break;
                case "tools":
                    ReadTools(field.Value, facts);
                    break;
                case "max_tokens" when !hasNewLimit:
                case "max_completion_tokens":
                    facts.Set("output limit", JsonWalk.Canonical(field.Value), at);
                    break;
                case "user" when !hasNewUser:
                case "safety_identifier":
                    facts.Set("end user", JsonWalk.Canonical(field.Value), at);
                    break;
                default:
                    ReadSetting(field, at, facts);
                    break;
            }
        }
    }

    private static void ReadSetting(JsonProperty field, string at, RequestFacts facts)
    {
        JsonElement value = field.Value;
        switch (field.Name)
        {
            case "temperature" or "top_p" or "top_k":
                facts.Set(field.Name, JsonWalk.Canonical(value), at);
                break;
            case "stream":
                if (value.ValueKind == JsonValueKind.True)
                {
                    facts.Set("stream", "true", at);
                }

                break;
            case "n" or "presence_penalty" or "frequency_penalty" when JsonWalk.Canonical(value) == (field.Name == "n" ? "1" : "0"):
                break;
            case "parallel_tool_calls":
                if (value.ValueKind == JsonValueKind.False)
                {
                    facts.Set("one call at a time", "true", at);
                }

                break;
            case "stop":
                ReadStops(value, at, facts);
                break;
            case "stream_options":
                foreach (JsonProperty option in JsonWalk.Fields(value).Where(option => option.Name != "include_usage"))
                {
                    facts.Unknown(option, at);
                }

                break;
            case "tool_choice":
                ReadToolChoice(field, at, facts);
                break;
            case "response_format":
                ReadFormat(field, at, facts);
                break;
            case "reasoning_effort" or "reasoning" or "thinking":
            case "enable_thinking" when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                ReadThinking(field, at, facts);
                break;
            default:
                facts.Unknown(field, "");
                break;
        }
    }

    private static void ReadStops(JsonElement value, string at, RequestFacts facts)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            facts.Set("stop", JsonWalk.TextOf(value), at);
            return;
        }

        int index = 0;
        foreach (JsonElement stop in JsonWalk.Items(value))
        {
            facts.Set("stop", JsonWalk.TextOf(stop), JsonWalk.Below(at, index++));
        }
    }

    private static void ReadToolChoice(JsonProperty field, string at, RequestFacts facts)
    {
        if (field.Value.ValueKind == JsonValueKind.String)
        {
            string word = JsonWalk.TextOf(field.Value);
            if (word != "auto")
            {
                facts.Set("tool choice", word == "any" ? "required" : word, at);
            }
        }
        else if (JsonWalk.Get(field.Value, "allowed_tools") is { } allowed)
        {
            IEnumerable<string?> names = JsonWalk.Items(JsonWalk.Get(allowed, "tools"))
                .Select(static tool => JsonWalk.Text(tool, "type") is { } type && JsonWalk.Get(tool, type) is { } one ? JsonWalk.Text(one, "name") : null);
            facts.Set("allowed tools", $"{JsonWalk.Text(allowed, "mode")} {string.Join(' ', names)}", at);
        }
        else if ((JsonWalk.Get(field.Value, "function") ?? JsonWalk.Get(field.Value, "custom")) is { } named && JsonWalk.Text(named, "name") is { } name)
        {
            facts.Set("tool choice", $"named {name}", at);
        }
        else
        {
            facts.Unknown(field, "");
        }
    }

    private static void ReadFormat(JsonProperty field, string at, RequestFacts facts)
    {
        switch (JsonWalk.Text(field.Value, "type"))
        {
            case "text":
                break;
            case "json_object":
                facts.Set("json object", "", at);
                break;
            case "json_schema" when JsonWalk.Get(field.Value, "json_schema") is { } schema:
                facts.Set("answer schema", JsonWalk.Get(schema, "schema") is { } form ? JsonWalk.Canonical(form) : "", $"{at}/json_schema/schema");
                foreach (JsonProperty detail in JsonWalk.Fields(schema).Where(detail => detail.Name is not ("schema" or "name" or "description" or "strict")))
                {
                    facts.Unknown(detail, $"{at}/json_schema");
                }

                break;
            default:
                facts.Unknown(field, "");
                return;
        }

        foreach (JsonProperty detail in JsonWalk.Fields(field.Value).Where(detail => detail.Name is not ("type" or "json_schema")))
        {
            facts.Unknown(detail, at);
        }
    }

    private static void ReadThinking(JsonProperty field, string at, RequestFacts facts)
    {
        JsonElement value = field.Value;
        string word = value.ValueKind == JsonValueKind.String ? JsonWalk.TextOf(value) : JsonWalk.Text(value, "effort") ?? JsonWalk.Text(value, "type") ?? "on";
        bool isOff = word is "none" or "disabled" || value.ValueKind == JsonValueKind.False || JsonWalk.Get(value, "enabled") is { ValueKind: JsonValueKind.False };
        facts.Set("thinking", isOff ? "off" : word == "minimal" ? "least" : "on", at);
        string[] known = ["effort", "type", "enabled", "max_tokens", "budget_tokens"];
        foreach (JsonProperty detail in JsonWalk.Fields(value).Where(detail => !known.Contains(detail.Name)))
        {
            facts.Unknown(detail, at);
        }
    }

    private static void ReadTools(JsonElement tools, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement tool in JsonWalk.Items(tools))
        {
            string at = JsonWalk.Below("/tools", index++);
            if (JsonWalk.Text(tool, "type") == "custom" && JsonWalk.Get(tool, "custom") is { } custom)
            {
                ReadCustom(custom, $"{at}/custom", at, facts);
                continue;
            }

            if (JsonWalk.Get(tool, "function") is not { } function || (JsonWalk.Text(tool, "type") ?? "function") != "function")
            {
                facts.Set("vendor's tool", JsonWalk.Canonical(tool), at);
                continue;
            }

            facts.Set("tool", JsonWalk.Text(function, "name") ?? "", at);
            string here = $"{at}/function";
            foreach (JsonProperty field in JsonWalk.Fields(function).Where(field => field.Value.ValueKind != JsonValueKind.Null && field.Name != "name"))
            {
                ToolDetail(field, here, field.Name == "parameters" ? "tool schema" : $"tool {field.Name}", facts);
            }

            foreach (JsonProperty field in JsonWalk.Fields(tool).Where(field => field.Name is not ("type" or "function")))
            {
                ToolDetail(field, at, $"tool {field.Name}", facts);
            }
        }
    }

    private static void ReadCustom(JsonElement custom, string at, string toolAt, RequestFacts facts)
    {
        facts.Set("custom tool", JsonWalk.Text(custom, "name") ?? "", toolAt);
        foreach (JsonProperty field in JsonWalk.Fields(custom).Where(field => field.Value.ValueKind != JsonValueKind.Null && field.Name != "name"))
        {
            if (field.Name == "format")
            {
                Grammar(field.Value, JsonWalk.Get(field.Value, "grammar") ?? default, $"{at}/format", facts);
            }
            else
            {
                ToolDetail(field, at, $"tool {field.Name}", facts);
            }
        }
    }

    /// <summary>What the text of a tool must look like; any text is the rule without one.</summary>
    internal static void Grammar(JsonElement format, JsonElement grammar, string at, RequestFacts facts)
    {
        if (JsonWalk.Text(format, "type") != "text")
        {
            facts.Set("tool grammar", $"{JsonWalk.Text(grammar, "syntax")}\n{JsonWalk.Text(grammar, "definition")}", at);
        }
    }

    internal static void ToolDetail(JsonProperty field, string parent, string kind, RequestFacts facts)
    {
        switch (field.Name)
        {
            case "description":
                if (field.Value.ValueEquals(""))
                {
                    break;
                }

                facts.Set(kind, JsonWalk.TextOf(field.Value), $"{parent}/description");
                break;
            case "parameters" or "input_schema":
                facts.Set("tool schema", JsonWalk.Canonical(field.Value), $"{parent}/{field.Name}");
                break;
            case "strict":
                if (field.Value.ValueKind == JsonValueKind.True)
                {
                    facts.Set("tool strict", "true", $"{parent}/strict");
                }

                break;
            case "cache_control" when field.Value.ValueKind == JsonValueKind.Object:
                facts.Cache(field.Value, parent);
                break;
            default:
                facts.Unknown(field, parent);
                break;
        }
    }

    private static void ReadMessages(JsonElement messages, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement message in JsonWalk.Items(messages))
        {
            string at = JsonWalk.Below("/messages", index++);
            string role = JsonWalk.Text(message, "role") ?? "";
            string speaker = role is "system" or "developer" ? RequestFacts.Instructor : role == "assistant" ? RequestFacts.Assistant : RequestFacts.User;
            facts.Begin(speaker);
            if (role is "tool" or "function")
            {
                facts.Say(speaker, "result", JsonWalk.Text(message, role == "tool" ? "tool_call_id" : "name") ?? "", at);
            }

            foreach (JsonProperty field in JsonWalk.Fields(message).Where(field => field.Value.ValueKind != JsonValueKind.Null))
            {
                ReadMessageField(field, role, speaker, at, facts);
            }
        }
    }

    private static void ReadMessageField(JsonProperty field, string role, string speaker, string at, RequestFacts facts)
    {
        string here = JsonWalk.Below(at, field.Name);
        switch (field.Name)
        {
            case "role":
            case "tool_call_id" when role == "tool":
            case "name" when role == "function":
                break;
            case "content":
                ReadContent(field.Value, role == "tool" ? "result text" : "text", speaker, here, facts);
                break;
            case "refusal" when field.Value.ValueKind == JsonValueKind.String:
                facts.Say(speaker, "text", JsonWalk.TextOf(field.Value), here);
                break;
            case "reasoning_content" or "reasoning" when field.Value.ValueKind == JsonValueKind.String:
                if (!field.Value.ValueEquals(""))
                {
                    facts.Say(speaker, "thinking", JsonWalk.TextOf(field.Value), here);
                }

                break;
            case "reasoning_details" when field.Value.ValueKind == JsonValueKind.Array:
                ReadReasoning(field, speaker, here, facts);
                break;
            case "tool_calls":
                ReadCalls(field.Value, speaker, here, facts);
                break;
            case "function_call" when field.Value.ValueKind == JsonValueKind.Object:
                facts.Say(speaker, "call", $"\n{JsonWalk.Text(field.Value, "name")}", here);
                facts.Say(speaker, "arguments", JsonWalk.CanonicalText(JsonWalk.Text(field.Value, "arguments") ?? ""), $"{here}/arguments");
                break;
            default:
                facts.Unknown(field, at);
                break;
        }
    }

    /// <summary>Details that a gateway marked hold reasoning; those of a server are its own.</summary>
    private static void ReadReasoning(JsonProperty field, string speaker, string here, RequestFacts facts)
    {
        int index = 0;
        List<(string Kind, string Value, string Pointer)> found = [];
        foreach (JsonElement detail in field.Value.EnumerateArray())
        {
            string at = JsonWalk.Below(here, index++);
            string? mark = JsonWalk.Text(detail, "signature") ?? JsonWalk.Text(detail, "data");
            if (mark?.Contains("thinking:", StringComparison.Ordinal) != true)
            {
                facts.Unknown(field, here[..here.LastIndexOf('/')]);
                return;
            }

            found.Add((JsonWalk.Text(detail, "data") is null ? "signature" : "redacted", mark, at));
        }

        found.ForEach(fact => facts.Say(speaker, fact.Kind, fact.Value, fact.Pointer));
    }

    private static void ReadCalls(JsonElement calls, string speaker, string at, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement call in JsonWalk.Items(calls))
        {
            string here = JsonWalk.Below(at, index++);
            if (JsonWalk.Text(call, "type") == "custom" && JsonWalk.Get(call, "custom") is { } custom)
            {
                facts.Say(speaker, "call", $"{JsonWalk.Text(call, "id")}\n{JsonWalk.Text(custom, "name")}", here);
                facts.Say(speaker, "free text", JsonWalk.Text(custom, "input") ?? "", $"{here}/custom/input");
                continue;
            }

            if (JsonWalk.Get(call, "function") is not { } function || (JsonWalk.Text(call, "type") ?? "function") != "function")
            {
                facts.Say(speaker, "part", JsonWalk.Canonical(call), here);
                continue;
            }

            facts.Say(speaker, "call", $"{JsonWalk.Text(call, "id")}\n{JsonWalk.Text(function, "name")}", here);
            facts.Say(speaker, "arguments", JsonWalk.CanonicalText(JsonWalk.Text(function, "arguments") ?? ""), $"{here}/function/arguments");
            foreach (JsonProperty field in JsonWalk.Fields(call).Where(field => field.Name is not ("id" or "type" or "function" or "index")))
            {
                facts.Unknown(field, here);
            }
        }
    }

    private static void ReadContent(JsonElement content, string kind, string speaker, string at, RequestFacts facts)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            facts.Say(speaker, kind, JsonWalk.TextOf(content), at);
            return;
        }

        int index = 0;
        foreach (JsonElement part in JsonWalk.Items(content))
        {
            ReadPart(part, kind, speaker, JsonWalk.Below(at, index++), facts);
        }
    }

    private static void ReadPart(JsonElement part, string kind, string speaker, string at, RequestFacts facts)
    {
        string type = JsonWalk.Text(part, "type") ?? "";
        switch (type)
        {
            case "text" or "refusal":
                facts.Say(speaker, kind, JsonWalk.Text(part, type) ?? "", at);
                break;
            case "image_url":
                ReadImage(part, speaker, at, facts);
                break;
            case "input_audio" when JsonWalk.Get(part, "input_audio") is { ValueKind: JsonValueKind.Object } audio:
                facts.Say(speaker, "audio", JsonWalk.Text(audio, "data") ?? "", at);
                break;
            case "file" when JsonWalk.Get(part, "file") is { } file:
                facts.SayMedia(speaker, "document", null, JsonWalk.Text(file, "file_data") ?? JsonWalk.Text(file, "file_id") ?? "", at);
                if (JsonWalk.Text(file, "filename") is { Length: > 0 } name)
                {
                    facts.Say(speaker, "title", name, $"{at}/file/filename");
                }

                break;
            default:
                facts.Say(speaker, "part", JsonWalk.Canonical(part), at);
                return;
        }

        foreach (JsonProperty field in JsonWalk.Fields(part).Where(field => field.Name != "type" && field.Name != type))
        {
            if (field.Name == "cache_control" && field.Value.ValueKind == JsonValueKind.Object)
            {
                facts.Cache(field.Value, at);
            }
            else
            {
                facts.Unknown(field, at);
            }
        }
    }

    private static void ReadImage(JsonElement part, string speaker, string at, RequestFacts facts)
    {
        JsonElement image = part.GetProperty("image_url");
        if (image.ValueKind == JsonValueKind.String)
        {
            facts.SayMedia(speaker, "image", null, JsonWalk.TextOf(image), at);
            return;
        }

        facts.SayMedia(speaker, "image", null, JsonWalk.Text(image, "url") ?? "", at);
        foreach (JsonProperty field in JsonWalk.Fields(image).Where(field => field.Name != "url"))
        {
            if (field.Name != "detail" || !field.Value.ValueEquals("auto"))
            {
                facts.Unknown(field, $"{at}/image_url");
            }
        }
    }
}
