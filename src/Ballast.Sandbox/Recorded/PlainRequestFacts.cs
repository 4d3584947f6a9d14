using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what requests of Ollama's and Cohere's chat say: messages as in Chat Completions, everything else in words of their own.</summary>
internal static class PlainRequestFacts
{
    public static void ReadOllama(JsonElement root, RequestFacts facts)
    {
        bool isStreamTold = false;
        foreach (JsonProperty field in root.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value)))
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
                case "stream":
                    isStreamTold = true;
                    SetStream(field.Value.ValueKind == JsonValueKind.True, at, facts);
                    break;
                case "format" when field.Value.ValueKind == JsonValueKind.String:
                    facts.Set("json object", "", at);
                    break;
                case "format":
                    facts.Set("answer schema", JsonWalk.Canonical(field.Value), at);
                    break;
                case "think":
                    facts.Set("thinking", field.Value.ValueKind == JsonValueKind.False ? "off" : "on", at);
                    break;
                case "options":
                    foreach (JsonProperty option in JsonWalk.Fields(field.Value).Where(option => !JsonWalk.SaysNothing(option.Value)))
                    {
                        ReadNumber(option, at, facts);
                    }

                    break;
                default:
                    facts.Unknown(field, "");
                    break;
            }
        }

        SetStream(!isStreamTold, "", facts);
    }

    public static void ReadCohere(JsonElement root, RequestFacts facts)
    {
        foreach (JsonProperty field in root.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value)))
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
                case "stream":
                    SetStream(field.Value.ValueKind == JsonValueKind.True, at, facts);
                    break;
                case "tool_choice":
                    facts.Set("tool choice", JsonWalk.TextOf(field.Value).ToLowerInvariant(), at);
                    break;
                case "response_format" when JsonWalk.Text(field.Value, "type") == "text":
                    break;
                case "response_format":
                    JsonElement? schema = JsonWalk.Get(field.Value, "json_schema") ?? JsonWalk.Get(field.Value, "schema");
                    facts.Set(schema is null ? "json object" : "answer schema", schema is { } form ? JsonWalk.Canonical(form) : "", at);
                    break;
                case "thinking":
                    facts.Set("thinking", JsonWalk.Text(field.Value, "type") == "disabled" ? "off" : "on", at);
                    break;
                case "strict_tools":
                    if (field.Value.ValueKind == JsonValueKind.True)
                    {
                        facts.Set("tool strict", "true", at);
                    }

                    break;
                case "documents":
                    int index = 0;
                    foreach (JsonElement document in JsonWalk.Items(field.Value))
                    {
                        ReadDocument(document, RequestFacts.User, JsonWalk.Below(at, index++), facts);
                    }

                    break;
                default:
                    ReadNumber(field, "", facts);
                    break;
            }
        }
    }

    private static void SetStream(bool isStream, string at, RequestFacts facts)
    {
        if (isStream)
        {
            facts.Set("stream", "true", at);
        }
    }

    private static void ReadNumber(JsonProperty field, string parent, RequestFacts facts)
    {
        string at = JsonWalk.Below(parent, field.Name);
        string? kind = field.Name switch
        {
            "num_predict" or "max_tokens" => "output limit",
            "temperature" => "temperature",
            "top_p" or "p" => "top_p",
            "top_k" or "k" => "top_k",
            "seed" or "presence_penalty" or "frequency_penalty" => $"field {field.Name}",
            _ => null,
        };
        if (field.Name is "stop" or "stop_sequences")
        {
            int index = 0;
            foreach (JsonElement stop in field.Value.ValueKind == JsonValueKind.String ? [field.Value] : JsonWalk.Items(field.Value))
            {
                facts.Set("stop", JsonWalk.TextOf(stop), field.Value.ValueKind == JsonValueKind.String ? at : JsonWalk.Below(at, index++));
            }
        }
        else if (kind is null)
        {
            facts.Unknown(field, parent);
        }
        else
        {
            facts.Set(kind, JsonWalk.Canonical(field.Value), at);
        }
    }

    private static void ReadTools(JsonElement tools, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement tool in JsonWalk.Items(tools))
        {
            string at = JsonWalk.Below("/tools", index++);
            JsonElement function = JsonWalk.Get(tool, "function") ?? default;
            facts.Set("tool", JsonWalk.Text(function, "name") ?? "", at);
            foreach (JsonProperty field in JsonWalk.Fields(function).Where(field => field.Value.ValueKind != JsonValueKind.Null && field.Name != "name"))
            {
                ChatRequestFacts.ToolDetail(field, $"{at}/function", $"tool {field.Name}", facts);
            }

            foreach (JsonProperty field in JsonWalk.Fields(tool).Where(field => field.Name is not ("type" or "function")))
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
            string role = JsonWalk.Text(message, "role") ?? "";
            string speaker = role is "system" or "developer" ? RequestFacts.Instructor : role == "assistant" ? RequestFacts.Assistant : RequestFacts.User;
            facts.Begin(speaker);
            if (role == "tool")
            {
                facts.Say(speaker, "result", JsonWalk.Text(message, "tool_call_id") ?? "", at);
            }

            foreach (JsonProperty field in JsonWalk.Fields(message).Where(field => !JsonWalk.SaysNothing(field.Value)))
            {
                ReadField(field, role, speaker, at, facts);
            }
        }
    }

    private static void ReadField(JsonProperty field, string role, string speaker, string at, RequestFacts facts)
    {
        string here = JsonWalk.Below(at, field.Name);
        int index = 0;
        switch (field.Name)
        {
            case "role" or "tool_call_id":
            // The name of a result's tool is in the call.
            case "tool_name" or "name" when role == "tool":
                break;
            case "content" when field.Value.ValueKind == JsonValueKind.String:
                facts.Say(speaker, role == "tool" ? "result text" : "text", JsonWalk.TextOf(field.Value), here);
                break;
            case "content":
                foreach (JsonElement part in JsonWalk.Items(field.Value))
                {
                    ReadPart(part, role, speaker, JsonWalk.Below(here, index++), facts);
                }

                break;
            case "tool_plan":
                facts.Say(speaker, "text", JsonWalk.TextOf(field.Value), here);
                break;
            case "thinking" when field.Value.ValueKind == JsonValueKind.String:
                facts.Say(speaker, "thinking", JsonWalk.TextOf(field.Value), here);
                break;
            case "images":
                foreach (JsonElement image in JsonWalk.Items(field.Value))
                {
                    facts.SayMedia(speaker, "image", null, JsonWalk.TextOf(image), JsonWalk.Below(here, index++));
                }

                break;
            case "tool_calls":
                foreach (JsonElement call in JsonWalk.Items(field.Value))
                {
                    string place = JsonWalk.Below(here, index++);
                    JsonElement function = JsonWalk.Get(call, "function") ?? default;
                    facts.Say(speaker, "call", $"{JsonWalk.Text(call, "id")}\n{JsonWalk.Text(function, "name")}", place);
                    facts.Say(speaker, "arguments", JsonWalk.CanonicalText(JsonWalk.Text(function, "arguments") ?? JsonWalk.Get(function, "arguments")?.GetRawText() ?? ""), $"{place}/function/arguments");
                }

                break;
            default:
                facts.Unknown(field, at);
                break;
        }
    }

    private static void ReadPart(JsonElement part, string role, string speaker, string at, RequestFacts facts)
    {
        switch (JsonWalk.Text(part, "type"))
        {
            case "text":
                facts.Say(speaker, role == "tool" ? "result text" : "text", JsonWalk.Text(part, "text") ?? "", at);
                break;
            case "thinking":
                facts.Say(speaker, "thinking", JsonWalk.Text(part, "thinking") ?? "", at);
                break;
            case "image_url" when JsonWalk.Get(part, "image_url") is { } image:
                facts.SayMedia(speaker, "image", null, JsonWalk.Text(image, "url") ?? "", at);
                break;
            case "document" when JsonWalk.Get(part, "document") is { } document:
                ReadDocument(document, speaker, at, facts);
                break;
            default:
                facts.Say(speaker, "part", JsonWalk.Canonical(part), at);
                break;
        }
    }

    private static void ReadDocument(JsonElement document, string speaker, string at, RequestFacts facts)
    {
        JsonElement data = JsonWalk.Get(document, "data") ?? document;
        string text = data.ValueKind == JsonValueKind.String ? JsonWalk.TextOf(data) : JsonWalk.Text(data, "text") ?? JsonWalk.Text(data, "snippet") ?? JsonWalk.Text(data, "data") ?? JsonWalk.Canonical(data);
        facts.Say(speaker, "document", text, at);
    }
}
