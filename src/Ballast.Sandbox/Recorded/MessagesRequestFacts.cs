using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a Messages request says.</summary>
internal static class MessagesRequestFacts
{
    public static void Read(JsonElement root, RequestFacts facts)
    {
        // What instructs comes first, wherever it stands: turns may hold more of it.
        foreach (JsonProperty field in root.EnumerateObject().Where(field => field.Value.ValueKind != JsonValueKind.Null).OrderBy(field => field.Name != "system"))
        {
            string at = JsonWalk.Below("", field.Name);
            switch (field.Name)
            {
                case "model":
                // InvokeModel says in the body what a header says elsewhere.
                case "anthropic_version":
                    break;
                case "system":
                    ReadContent(field.Value, "text", RequestFacts.Instructor, at, facts);
                    break;
                case "messages":
                    ReadMessages(field.Value, facts);
                    break;
                case "tools":
                    ReadTools(field.Value, facts);
                    break;
                case "max_tokens":
                    facts.Set("output limit", JsonWalk.Canonical(field.Value), at);
                    break;
                case "temperature" or "top_p" or "top_k":
                    facts.Set(field.Name, JsonWalk.Canonical(field.Value), at);
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
            case "stream":
                if (value.ValueKind == JsonValueKind.True)
                {
                    facts.Set("stream", "true", at);
                }

                break;
            case "stop_sequences":
                int index = 0;
                foreach (JsonElement stop in JsonWalk.Items(value))
                {
                    facts.Set("stop", JsonWalk.TextOf(stop), JsonWalk.Below(at, index++));
                }

                break;
            case "metadata":
                foreach (JsonProperty detail in JsonWalk.Fields(value))
                {
                    Known(detail, at, "user_id", "end user", facts);
                }

                break;
            case "tool_choice":
                ReadToolChoice(value, at, facts);
                break;
            case "thinking":
                string type = JsonWalk.Text(value, "type") ?? "on";
                facts.Set("thinking", type == "disabled" ? "off" : "on", at);
                foreach (JsonProperty detail in JsonWalk.Fields(value).Where(detail => detail.Name is not ("type" or "budget_tokens")))
                {
                    facts.Unknown(detail, at);
                }

                break;
            case "output_format" when JsonWalk.Get(value, "schema") is { } schema:
                facts.Set("answer schema", JsonWalk.Canonical(schema), $"{at}/schema");
                break;
            case "output_config":
                ReadOutput(value, at, facts);
                break;
            default:
                facts.Unknown(field, "");
                break;
        }
    }

    private static void Known(JsonProperty field, string parent, string name, string kind, RequestFacts facts)
    {
        if (field.Name != name)
        {
            facts.Unknown(field, parent);
        }
        else if (field.Value.ValueKind != JsonValueKind.Null)
        {
            facts.Set(kind, JsonWalk.Canonical(field.Value), $"{parent}/{name}");
        }
    }

    private static void ReadOutput(JsonElement value, string at, RequestFacts facts)
    {
        foreach (JsonProperty field in JsonWalk.Fields(value).Where(field => field.Value.ValueKind != JsonValueKind.Null))
        {
            if (field.Name == "format" && JsonWalk.Get(field.Value, "schema") is { } schema)
            {
                facts.Set("answer schema", JsonWalk.Canonical(schema), $"{at}/format/schema");
                foreach (JsonProperty detail in JsonWalk.Fields(field.Value).Where(detail => detail.Name is not ("type" or "schema")))
                {
                    facts.Unknown(detail, $"{at}/format");
                }
            }
            else if (field.Name == "effort")
            {
                facts.Set("thinking", "on", $"{at}/effort");
            }
            else
            {
                facts.Unknown(field, at);
            }
        }
    }

    private static void ReadToolChoice(JsonElement value, string at, RequestFacts facts)
    {
        string type = JsonWalk.Text(value, "type") ?? "";
        if (type != "auto")
        {
            facts.Set("tool choice", type switch { "any" => "required", "tool" => $"named {JsonWalk.Text(value, "name")}", _ => type }, at);
        }

        foreach (JsonProperty field in JsonWalk.Fields(value).Where(field => field.Name is not ("type" or "name")))
        {
            if (field.Name != "disable_parallel_tool_use")
            {
                facts.Unknown(field, at);
            }
            else if (field.Value.ValueKind == JsonValueKind.True)
            {
                facts.Set("one call at a time", "true", $"{at}/disable_parallel_tool_use");
            }
        }
    }

    private static void ReadTools(JsonElement tools, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement tool in JsonWalk.Items(tools))
        {
            string at = JsonWalk.Below("/tools", index++);
            if (JsonWalk.Text(tool, "type") is { } type && type != "custom")
            {
                facts.Set("vendor's tool", JsonWalk.Canonical(tool), at);
                continue;
            }

            facts.Set("tool", JsonWalk.Text(tool, "name") ?? "", at);
            foreach (JsonProperty field in JsonWalk.Fields(tool).Where(field => field.Value.ValueKind != JsonValueKind.Null && field.Name is not ("name" or "type")))
            {
                ChatRequestFacts.ToolDetail(field, at, $"tool {field.Name}", facts);
            }
        }
    }

    private static void ReadMessages(JsonElement messages, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement message in JsonWalk.Items(messages))
        {
            string at = JsonWalk.Below("/messages", index++);
            string speaker = JsonWalk.Text(message, "role") switch { "assistant" => RequestFacts.Assistant, "system" => RequestFacts.Instructor, _ => RequestFacts.User };
            facts.Begin(speaker);
            foreach (JsonProperty field in JsonWalk.Fields(message).Where(field => field.Name != "role"))
            {
                if (field.Name == "content")
                {
                    ReadContent(field.Value, "text", speaker, $"{at}/content", facts);
                }
                else
                {
                    facts.Unknown(field, at);
                }
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
        foreach (JsonElement block in JsonWalk.Items(content))
        {
            ReadBlock(block, kind, speaker, JsonWalk.Below(at, index++), facts);
        }
    }

    private static void ReadBlock(JsonElement block, string kind, string speaker, string at, RequestFacts facts)
    {
        string type = JsonWalk.Text(block, "type") ?? "";
        string[] known = [];
        switch (type)
        {
            case "text":
                facts.Say(speaker, kind, JsonWalk.Text(block, "text") ?? "", at);
                known = ["text"];
                break;
            case "image" or "document" when JsonWalk.Get(block, "source") is { } source && JsonWalk.Text(source, "type") is "base64" or "url" or "file" or "text":
                ReadMedia(block, type, speaker, at, facts);
                known = ["source", "title"];
                break;
            case "tool_use":
                facts.Say(speaker, "call", $"{JsonWalk.Text(block, "id")}\n{JsonWalk.Text(block, "name")}", at);
                facts.Say(speaker, "arguments", JsonWalk.Get(block, "input") is { } input ? JsonWalk.Canonical(input) : "{}", $"{at}/input");
                known = ["id", "name", "input"];
                break;
            case "tool_result":
                ReadResult(block, speaker, at, facts);
                known = ["tool_use_id", "content", "is_error"];
                break;
            case "thinking":
                facts.Say(speaker, "thinking", JsonWalk.Text(block, "thinking") ?? "", at);
                if (JsonWalk.Text(block, "signature") is { Length: > 0 } signature)
                {
                    facts.Say(speaker, "signature", signature, at);
                }

                known = ["thinking", "signature"];
                break;
            case "redacted_thinking":
                facts.Say(speaker, "redacted", JsonWalk.Text(block, "data") ?? "", at);
                known = ["data"];
                break;
            default:
                facts.Say(speaker, "part", JsonWalk.Canonical(block), at);
                return;
        }

        foreach (JsonProperty field in JsonWalk.Fields(block).Where(field => field.Name != "type" && !known.Contains(field.Name)))
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

    private static void ReadMedia(JsonElement block, string type, string speaker, string at, RequestFacts facts)
    {
        JsonElement source = block.GetProperty("source");
        bool isText = JsonWalk.Text(source, "type") == "text";
        string value = JsonWalk.Text(source, "data") ?? JsonWalk.Text(source, "url") ?? JsonWalk.Text(source, "file_id") ?? "";
        facts.SayMedia(speaker, type, isText ? null : JsonWalk.Text(source, "media_type"), value, at);
        if (JsonWalk.Text(block, "title") is { } title)
        {
            facts.Say(speaker, "title", title, $"{at}/title");
        }
    }

    private static void ReadResult(JsonElement block, string speaker, string at, RequestFacts facts)
    {
        facts.Say(speaker, "result", JsonWalk.Text(block, "tool_use_id") ?? "", at);
        if (JsonWalk.Get(block, "content") is { } content)
        {
            ReadContent(content, "result text", speaker, $"{at}/content", facts);
        }

        if (JsonWalk.Get(block, "is_error") is { ValueKind: JsonValueKind.True })
        {
            facts.Say(speaker, "result error", "true", $"{at}/is_error");
        }
    }
}
