using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a request of the Responses interface says.</summary>
internal static class ResponsesRequestFacts
{
    /// <summary>What is kept by whoever answers the caller, and what shapes only how the answer is told.</summary>
    private static readonly string[] Kept = ["model", "store", "include", "previous_response_id", "conversation", "background", "stream_options"];

    public static void Read(JsonElement root, RequestFacts facts)
    {
        // What instructs comes first, wherever it stands: items may hold more of it.
        foreach (JsonProperty field in root.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value) && !Kept.Contains(field.Name)).OrderBy(field => field.Name != "instructions"))
        {
            string at = JsonWalk.Below("", field.Name);
            switch (field.Name)
            {
                case "input" when field.Value.ValueKind == JsonValueKind.String:
                    facts.Begin(RequestFacts.User);
                    facts.Say(RequestFacts.User, "text", JsonWalk.TextOf(field.Value), at);
                    break;
                case "input":
                    int index = 0;
                    foreach (JsonElement item in JsonWalk.Items(field.Value))
                    {
                        ReadItem(item, JsonWalk.Below(at, index++), facts);
                    }

                    break;
                case "instructions":
                    facts.Say(RequestFacts.Instructor, "text", JsonWalk.TextOf(field.Value), at);
                    break;
                case "tools":
                    ReadTools(field.Value, facts);
                    break;
                case "text":
                    ReadText(field.Value, at, facts);
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
            case "max_output_tokens":
                facts.Set("output limit", JsonWalk.Canonical(value), at);
                break;
            case "temperature" or "top_p" or "top_k":
                facts.Set(field.Name, JsonWalk.Canonical(value), at);
                break;
            case "stream" or "parallel_tool_calls":
                if (value.ValueKind == (field.Name == "stream" ? JsonValueKind.True : JsonValueKind.False))
                {
                    facts.Set(field.Name == "stream" ? "stream" : "one call at a time", "true", at);
                }

                break;
            case "reasoning":
                foreach (JsonProperty detail in JsonWalk.Fields(value).Where(detail => !JsonWalk.SaysNothing(detail.Value)))
                {
                    if (detail.Name == "effort")
                    {
                        facts.Set("thinking", JsonWalk.TextOf(detail.Value) switch { "none" => "off", "minimal" => "least", _ => "on" }, $"{at}/effort");
                    }
                    else if (detail.Name is not ("summary" or "generate_summary"))
                    {
                        facts.Unknown(detail, at);
                    }
                }

                break;
            case "tool_choice" when JsonWalk.Text(value, "type") == "allowed_tools":
                facts.Set("allowed tools", $"{JsonWalk.Text(value, "mode")} {string.Join(' ', JsonWalk.Items(JsonWalk.Get(value, "tools")).Select(static tool => JsonWalk.Text(tool, "name")))}", at);
                break;
            case "tool_choice":
                string word = value.ValueKind == JsonValueKind.String ? JsonWalk.TextOf(value) : $"named {JsonWalk.Text(value, "name") ?? JsonWalk.Text(value, "type")}";
                if (word != "auto")
                {
                    facts.Set("tool choice", word, at);
                }

                break;
            case "user" or "safety_identifier":
                facts.Set("end user", JsonWalk.Canonical(value), at);
                break;
            case "truncation" when value.ValueKind == JsonValueKind.String && value.ValueEquals("disabled"):
                break;
            default:
                facts.Unknown(field, "");
                break;
        }
    }

    private static void ReadText(JsonElement value, string at, RequestFacts facts)
    {
        foreach (JsonProperty field in JsonWalk.Fields(value).Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            switch (field.Name)
            {
                case "format" when JsonWalk.Text(field.Value, "type") == "text":
                    break;
                case "format" when JsonWalk.Text(field.Value, "type") == "json_object":
                    facts.Set("json object", "", $"{at}/format");
                    break;
                case "format" when JsonWalk.Get(field.Value, "schema") is { } schema:
                    facts.Set("answer schema", JsonWalk.Canonical(schema), $"{at}/format/schema");
                    break;
                case "verbosity":
                    facts.Set("field verbosity", JsonWalk.Canonical(field.Value), $"{at}/verbosity");
                    break;
                default:
                    facts.Unknown(field, at);
                    break;
            }
        }
    }

    private static void ReadTools(JsonElement tools, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement tool in JsonWalk.Items(tools))
        {
            string at = JsonWalk.Below("/tools", index++);
            if (JsonWalk.Text(tool, "type") != "namespace" || JsonWalk.Get(tool, "tools") is not { } members)
            {
                ReadTool(tool, "", at, facts);
                continue;
            }

            int member = 0;
            foreach (JsonElement one in JsonWalk.Items(members))
            {
                ReadTool(one, $"{JsonWalk.Text(tool, "name")}__", JsonWalk.Below($"{at}/tools", member++), facts);
            }
        }
    }

    private static void ReadTool(JsonElement tool, string before, string at, RequestFacts facts)
    {
        string type = JsonWalk.Text(tool, "type") ?? "function";
        if (type is not ("function" or "custom"))
        {
            facts.Set("vendor's tool", JsonWalk.Canonical(tool), at);
            return;
        }

        facts.Set(type == "custom" ? "custom tool" : "tool", before + JsonWalk.Text(tool, "name"), at);
        foreach (JsonProperty field in JsonWalk.Fields(tool).Where(field => field.Value.ValueKind != JsonValueKind.Null && field.Name is not ("type" or "name")))
        {
            if (type == "custom" && field.Name == "format")
            {
                ChatRequestFacts.Grammar(field.Value, field.Value, $"{at}/format", facts);
            }
            else
            {
                ChatRequestFacts.ToolDetail(field, at, $"tool {field.Name}", facts);
            }
        }
    }

    private static void ReadItem(JsonElement item, string at, RequestFacts facts)
    {
        string type = JsonWalk.Text(item, "type") ?? "message";
        string role = JsonWalk.Text(item, "role") ?? "";
        string speaker = type is "function_call" or "custom_tool_call" or "reasoning" || role == "assistant" ? RequestFacts.Assistant
            : role is "system" or "developer" ? RequestFacts.Instructor : RequestFacts.User;
        facts.Begin(speaker);
        switch (type)
        {
            case "message":
                ReadContent(JsonWalk.Get(item, "content"), "text", speaker, $"{at}/content", facts);
                break;
            case "function_call":
                facts.Say(speaker, "call", $"{JsonWalk.Text(item, "call_id")}\n{JsonWalk.Text(item, "name")}", at);
                facts.Say(speaker, "arguments", JsonWalk.CanonicalText(JsonWalk.Text(item, "arguments") ?? ""), $"{at}/arguments");
                break;
            case "custom_tool_call":
                facts.Say(speaker, "call", $"{JsonWalk.Text(item, "call_id")}\n{JsonWalk.Text(item, "name")}", at);
                facts.Say(speaker, "free text", JsonWalk.Text(item, "input") ?? "", $"{at}/input");
                break;
            case "function_call_output" or "custom_tool_call_output":
                facts.Say(speaker, "result", JsonWalk.Text(item, "call_id") ?? "", at);
                ReadContent(JsonWalk.Get(item, "output"), "result text", speaker, $"{at}/output", facts);
                break;
            case "reasoning":
                foreach (JsonElement piece in JsonWalk.Items(JsonWalk.Get(item, "summary")).Concat(JsonWalk.Items(JsonWalk.Get(item, "content"))))
                {
                    facts.Say(speaker, "thinking", JsonWalk.Text(piece, "text") ?? "", at);
                }

                if (JsonWalk.Text(item, "encrypted_content") is { Length: > 0 } signature)
                {
                    facts.Say(speaker, "signature", signature, at);
                }

                break;
            default:
                facts.Say(speaker, "part", JsonWalk.Canonical(item), at);
                break;
        }
    }

    private static void ReadContent(JsonElement? content, string kind, string speaker, string at, RequestFacts facts)
    {
        if (content is { ValueKind: JsonValueKind.String } text)
        {
            facts.Say(speaker, kind, JsonWalk.TextOf(text), at);
            return;
        }

        int index = 0;
        foreach (JsonElement part in JsonWalk.Items(content))
        {
            string here = JsonWalk.Below(at, index++);
            switch (JsonWalk.Text(part, "type"))
            {
                case "input_text" or "output_text" or "text":
                    facts.Say(speaker, kind, JsonWalk.Text(part, "text") ?? "", here);
                    break;
                case "refusal":
                    facts.Say(speaker, kind, JsonWalk.Text(part, "refusal") ?? "", here);
                    break;
                case "input_image":
                    facts.SayMedia(speaker, "image", null, JsonWalk.Text(part, "image_url") ?? JsonWalk.Text(part, "file_id") ?? "", here);
                    foreach (JsonProperty detail in JsonWalk.Fields(part).Where(static field => field.Name == "detail" && !field.Value.ValueEquals("auto")))
                    {
                        facts.Unknown(detail, here);
                    }

                    break;
                case "input_file":
                    facts.SayMedia(speaker, "document", null, JsonWalk.Text(part, "file_data") ?? JsonWalk.Text(part, "file_url") ?? JsonWalk.Text(part, "file_id") ?? "", here);
                    if (JsonWalk.Text(part, "filename") is { Length: > 0 } name)
                    {
                        facts.Say(speaker, "title", name, $"{here}/filename");
                    }

                    break;
                case "input_audio" when JsonWalk.Get(part, "input_audio") is { } audio:
                    facts.Say(speaker, "audio", JsonWalk.Text(audio, "data") ?? "", here);
                    break;
                default:
                    facts.Say(speaker, "part", JsonWalk.Canonical(part), here);
                    break;
            }
        }
    }
}
