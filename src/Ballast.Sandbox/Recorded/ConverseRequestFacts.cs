using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a request of Converse says.</summary>
internal static class ConverseRequestFacts
{
    public static void Read(JsonElement root, RequestFacts facts)
    {
        foreach (JsonProperty field in root.EnumerateObject().Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            string at = JsonWalk.Below("", field.Name);
            switch (field.Name)
            {
                case "modelId":
                    break;
                case "messages":
                    int index = 0;
                    foreach (JsonElement message in JsonWalk.Items(field.Value))
                    {
                        string speaker = JsonWalk.Text(message, "role") == "assistant" ? RequestFacts.Assistant : RequestFacts.User;
                        facts.Begin(speaker);
                        ReadBlocks(JsonWalk.Get(message, "content"), "text", speaker, $"{JsonWalk.Below(at, index++)}/content", facts);
                    }

                    break;
                case "system":
                    ReadBlocks(field.Value, "text", RequestFacts.Instructor, at, facts);
                    break;
                case "inferenceConfig":
                    ReadInference(field.Value, at, facts);
                    break;
                case "toolConfig":
                    ReadTools(field.Value, at, facts);
                    break;
                case "additionalModelRequestFields":
                    ReadModelFields(field.Value, at, facts);
                    break;
                case "outputConfig" when JsonWalk.Get(field.Value, "textFormat") is { } format && JsonWalk.Get(format, "structure") is { } structure
                    && JsonWalk.Get(structure, "jsonSchema") is { } schema:
                    facts.Set("answer schema", JsonWalk.CanonicalText(JsonWalk.Text(schema, "schema") ?? ""), $"{at}/textFormat");
                    break;
                default:
                    facts.Unknown(field, "");
                    break;
            }
        }
    }

    private static void ReadInference(JsonElement value, string at, RequestFacts facts)
    {
        foreach (JsonProperty field in JsonWalk.Fields(value).Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            string here = JsonWalk.Below(at, field.Name);
            switch (field.Name)
            {
                case "maxTokens":
                    facts.Set("output limit", JsonWalk.Canonical(field.Value), here);
                    break;
                case "temperature":
                    facts.Set("temperature", JsonWalk.Canonical(field.Value), here);
                    break;
                case "topP":
                    facts.Set("top_p", JsonWalk.Canonical(field.Value), here);
                    break;
                case "stopSequences":
                    int index = 0;
                    foreach (JsonElement stop in JsonWalk.Items(field.Value))
                    {
                        facts.Set("stop", JsonWalk.TextOf(stop), JsonWalk.Below(here, index++));
                    }

                    break;
                default:
                    facts.Unknown(field, at);
                    break;
            }
        }
    }

    private static void ReadTools(JsonElement value, string at, RequestFacts facts)
    {
        foreach (JsonProperty field in JsonWalk.Fields(value).Where(field => !JsonWalk.SaysNothing(field.Value) || field.Name == "toolChoice"))
        {
            switch (field.Name)
            {
                case "toolChoice":
                    if (JsonWalk.Get(field.Value, "any") is not null)
                    {
                        facts.Set("tool choice", "required", $"{at}/toolChoice");
                    }
                    else if (JsonWalk.Get(field.Value, "tool") is { } named)
                    {
                        facts.Set("tool choice", $"named {JsonWalk.Text(named, "name")}", $"{at}/toolChoice");
                    }

                    break;
                case "tools":
                    int index = 0;
                    foreach (JsonElement tool in JsonWalk.Items(field.Value))
                    {
                        ReadTool(tool, JsonWalk.Below($"{at}/tools", index++), facts);
                    }

                    break;
                default:
                    facts.Unknown(field, at);
                    break;
            }
        }
    }

    private static void ReadTool(JsonElement tool, string at, RequestFacts facts)
    {
        if (JsonWalk.Get(tool, "cachePoint") is not null)
        {
            facts.Set("cache mark", "", at);
            return;
        }

        if (JsonWalk.Get(tool, "toolSpec") is not { } spec)
        {
            facts.Set("vendor's tool", JsonWalk.Canonical(tool), at);
            return;
        }

        facts.Set("tool", JsonWalk.Text(spec, "name") ?? "", at);
        string here = $"{at}/toolSpec";
        foreach (JsonProperty field in JsonWalk.Fields(spec).Where(field => !JsonWalk.SaysNothing(field.Value) && field.Name != "name"))
        {
            switch (field.Name)
            {
                case "inputSchema" when JsonWalk.Get(field.Value, "json") is { } schema:
                    facts.Set("tool schema", JsonWalk.Canonical(schema), $"{here}/inputSchema/json");
                    break;
                case "description":
                    facts.Set("tool description", JsonWalk.TextOf(field.Value), $"{here}/description");
                    break;
                case "strict" when field.Value.ValueKind == JsonValueKind.True:
                    facts.Set("tool strict", "true", $"{here}/strict");
                    break;
                case "strict":
                    break;
                default:
                    facts.Unknown(field, here);
                    break;
            }
        }
    }

    /// <summary>Fields of the model's own: of Claude's, those that have a word.</summary>
    private static void ReadModelFields(JsonElement value, string at, RequestFacts facts)
    {
        foreach (JsonProperty field in JsonWalk.Fields(value).Where(field => !JsonWalk.SaysNothing(field.Value)))
        {
            string here = JsonWalk.Below(at, field.Name);
            switch (field.Name)
            {
                case "thinking" or "reasoning_config" or "reasoningConfig":
                    facts.Set("thinking", JsonWalk.Text(field.Value, "type") is "disabled" ? "off" : "on", here);
                    break;
                case "reasoning_effort":
                    facts.Set("thinking", "on", here);
                    break;
                case "top_k":
                    facts.Set("top_k", JsonWalk.Canonical(field.Value), here);
                    break;
                case "anthropic_beta" when field.Value.ValueKind == JsonValueKind.Array:
                    int index = 0;
                    foreach (JsonElement beta in JsonWalk.Items(field.Value))
                    {
                        facts.Set("beta feature", JsonWalk.TextOf(beta), JsonWalk.Below(here, index++));
                    }

                    break;
                default:
                    facts.Unknown(field, at);
                    break;
            }
        }
    }

    private static void ReadBlocks(JsonElement? blocks, string kind, string speaker, string at, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement block in JsonWalk.Items(blocks))
        {
            string here = JsonWalk.Below(at, index++);
            foreach (JsonProperty field in JsonWalk.Fields(block).Where(field => field.Value.ValueKind != JsonValueKind.Null))
            {
                ReadBlock(field, kind, speaker, here, facts);
            }
        }
    }

    private static void ReadBlock(JsonProperty field, string kind, string speaker, string at, RequestFacts facts)
    {
        JsonElement value = field.Value;
        switch (field.Name)
        {
            case "text":
                facts.Say(speaker, kind, JsonWalk.TextOf(value), at);
                break;
            case "json":
                facts.Say(speaker, kind, JsonWalk.Canonical(value), at);
                break;
            case "image" or "document" or "video" when JsonWalk.Get(value, "source") is { } source:
                bool isText = field.Name == "document" && JsonWalk.Text(value, "format") is "txt" or "md" or "csv" or "html";
                string data = JsonWalk.Text(source, "bytes") ?? JsonWalk.Text(source, "text") ?? JsonWalk.Canonical(source);
                facts.SayMedia(speaker, field.Name, isText && JsonWalk.Text(source, "text") is null ? "text/plain" : null, data, at);
                foreach (JsonProperty detail in JsonWalk.Fields(value).Where(detail => !JsonWalk.SaysNothing(detail.Value) && detail.Name is not ("source" or "format")))
                {
                    if (detail.Name == "name")
                    {
                        facts.Say(speaker, "title", JsonWalk.TextOf(detail.Value), $"{at}/{field.Name}/name");
                    }
                    else
                    {
                        facts.Unknown(detail, $"{at}/{field.Name}");
                    }
                }

                break;
            case "toolUse":
                facts.Say(speaker, "call", $"{JsonWalk.Text(value, "toolUseId")}\n{JsonWalk.Text(value, "name")}", at);
                facts.Say(speaker, "arguments", JsonWalk.Get(value, "input") is { } input ? JsonWalk.Canonical(input) : "{}", $"{at}/toolUse/input");
                break;
            case "toolResult":
                facts.Say(speaker, "result", JsonWalk.Text(value, "toolUseId") ?? "", at);
                ReadBlocks(JsonWalk.Get(value, "content"), "result text", speaker, $"{at}/toolResult/content", facts);
                if (JsonWalk.Text(value, "status") == "error")
                {
                    facts.Say(speaker, "result error", "true", $"{at}/toolResult/status");
                }

                break;
            case "reasoningContent" when JsonWalk.Get(value, "reasoningText") is { } thinking:
                facts.Say(speaker, "thinking", JsonWalk.Text(thinking, "text") ?? "", at);
                if (JsonWalk.Text(thinking, "signature") is { Length: > 0 } signature)
                {
                    facts.Say(speaker, "signature", signature, at);
                }

                break;
            case "reasoningContent" when JsonWalk.Text(value, "redactedContent") is { } redacted:
                facts.Say(speaker, "redacted", ConverseBlob.TextOf(redacted), at);
                break;
            case "cachePoint":
                facts.Set("cache mark", JsonWalk.Text(value, "ttl") ?? "", at);
                break;
            default:
                facts.Say(speaker, "part", JsonWalk.Canonical(value), at);
                break;
        }
    }
}
