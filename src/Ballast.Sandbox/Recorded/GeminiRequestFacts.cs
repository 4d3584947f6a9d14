using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a GenerateContent request says. Field names may be written with capitals or with underscores.</summary>
internal static class GeminiRequestFacts
{
    public static void Read(JsonElement root, RequestFacts facts)
    {
        foreach (JsonProperty field in Said(root))
        {
            string at = JsonWalk.Below("", field.Name);
            switch (NameOf(field))
            {
                case "model":
                    break;
                case "contents":
                    ReadContents(field.Value, at, facts);
                    break;
                case "systemInstruction":
                    ReadParts(field.Value, RequestFacts.Instructor, at, facts);
                    break;
                case "tools":
                    ReadTools(field.Value, at, facts);
                    break;
                case "toolConfig":
                    ReadToolConfig(field.Value, at, facts);
                    break;
                case "generationConfig":
                    ReadConfig(field.Value, at, facts);
                    break;
                default:
                    facts.Unknown(field, "");
                    break;
            }
        }
    }

    private static IEnumerable<JsonProperty> Said(JsonElement element) => JsonWalk.Fields(element).Where(field => !JsonWalk.SaysNothing(field.Value));

    private static string NameOf(JsonProperty field)
    {
        string[] words = field.Name.Split('_');
        return words[0] + string.Concat(words.Skip(1).Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static JsonElement? Get(JsonElement element, string name)
    {
        foreach (JsonProperty field in JsonWalk.Fields(element).Where(field => NameOf(field) == name && field.Value.ValueKind != JsonValueKind.Null))
        {
            return field.Value;
        }

        return null;
    }

    private static string? Text(JsonElement element, string name) => Get(element, name) is { ValueKind: JsonValueKind.String } value ? JsonWalk.TextOf(value) : null;

    private static void ReadConfig(JsonElement config, string at, RequestFacts facts)
    {
        bool hasJsonSchema = Get(config, "responseSchema") is not null || Get(config, "responseJsonSchema") is not null;
        foreach (JsonProperty field in Said(config))
        {
            string here = JsonWalk.Below(at, field.Name);
            switch (NameOf(field))
            {
                case "maxOutputTokens":
                    facts.Set("output limit", JsonWalk.Canonical(field.Value), here);
                    break;
                case "temperature":
                    facts.Set("temperature", JsonWalk.Canonical(field.Value), here);
                    break;
                case "topP":
                    facts.Set("top_p", JsonWalk.Canonical(field.Value), here);
                    break;
                case "topK":
                    facts.Set("top_k", JsonWalk.Canonical(field.Value), here);
                    break;
                case "seed":
                    facts.Set("field seed", JsonWalk.Canonical(field.Value), here);
                    break;
                case "presencePenalty" or "frequencyPenalty" when JsonWalk.Canonical(field.Value) == "0":
                case "candidateCount" when JsonWalk.Canonical(field.Value) == "1":
                    break;
                case "presencePenalty":
                    facts.Set("field presence_penalty", JsonWalk.Canonical(field.Value), here);
                    break;
                case "frequencyPenalty":
                    facts.Set("field frequency_penalty", JsonWalk.Canonical(field.Value), here);
                    break;
                case "stopSequences":
                    int index = 0;
                    foreach (JsonElement stop in JsonWalk.Items(field.Value))
                    {
                        facts.Set("stop", JsonWalk.TextOf(stop), JsonWalk.Below(here, index++));
                    }

                    break;
                case "responseMimeType":
                    ReadMediaType(field.Value, here, hasJsonSchema, facts);
                    break;
                case "responseSchema" or "responseJsonSchema":
                    facts.Set("answer schema", GeminiSchemaText.Plain(field.Value), here);
                    break;
                case "thinkingConfig":
                    ReadThinking(field.Value, here, facts);
                    break;
                default:
                    facts.Unknown(field, at);
                    break;
            }
        }
    }

    private static void ReadMediaType(JsonElement value, string at, bool hasSchema, RequestFacts facts)
    {
        string type = JsonWalk.TextOf(value);
        if (type == "application/json" && !hasSchema)
        {
            facts.Set("json object", "", at);
        }
        else if (type is not ("application/json" or "text/plain"))
        {
            facts.Set("media type", type, at);
        }
    }

    private static void ReadThinking(JsonElement value, string at, RequestFacts facts)
    {
        foreach (JsonProperty field in Said(value))
        {
            string here = JsonWalk.Below(at, field.Name);
            switch (NameOf(field))
            {
                case "thinkingBudget":
                    facts.Set("thinking", field.Value.ValueKind == JsonValueKind.Number && field.Value.GetDouble() == 0 ? "off" : "on", here);
                    break;
                case "thinkingLevel":
                    facts.Set("thinking", JsonWalk.TextOf(field.Value).Equals("minimal", StringComparison.OrdinalIgnoreCase) ? "least" : "on", here);
                    break;
                case "includeThoughts":
                    // Whether thoughts are shown: the other protocols show what there is.
                    break;
                default:
                    facts.Unknown(field, at);
                    break;
            }
        }
    }

    private static void ReadToolConfig(JsonElement value, string at, RequestFacts facts)
    {
        foreach (JsonProperty field in Said(value))
        {
            if (NameOf(field) != "functionCallingConfig")
            {
                facts.Unknown(field, at);
                continue;
            }

            string here = JsonWalk.Below(at, field.Name);
            string mode = (Text(field.Value, "mode") ?? "AUTO").ToUpperInvariant();
            string[] names = [.. JsonWalk.Items(Get(field.Value, "allowedFunctionNames")).Select(JsonWalk.TextOf)];
            if (mode is not ("AUTO" or "MODE_UNSPECIFIED"))
            {
                facts.Set("tool choice", mode == "ANY" && names.Length == 1 ? $"named {names[0]}" : mode switch { "ANY" => "required", "NONE" => "none", _ => mode }, mode is "ANY" or "NONE" ? here : $"{here}/mode");
            }

            if (names.Length > 1)
            {
                facts.Set("allowed tools", string.Join(',', names), $"{here}/allowedFunctionNames");
            }
        }
    }

    private static void ReadTools(JsonElement tools, string at, RequestFacts facts)
    {
        int index = 0;
        foreach (JsonElement tool in JsonWalk.Items(tools))
        {
            string here = JsonWalk.Below(at, index++);
            foreach (JsonProperty field in JsonWalk.Fields(tool).Where(field => field.Value.ValueKind != JsonValueKind.Null))
            {
                if (NameOf(field) != "functionDeclarations")
                {
                    facts.Set("vendor's tool", JsonWalk.Canonical(field.Value), JsonWalk.Below(here, field.Name));
                    continue;
                }

                int place = 0;
                foreach (JsonElement function in JsonWalk.Items(field.Value))
                {
                    ReadFunction(function, JsonWalk.Below(JsonWalk.Below(here, field.Name), place++), facts);
                }
            }
        }
    }

    private static void ReadFunction(JsonElement function, string at, RequestFacts facts)
    {
        facts.Set("tool", Text(function, "name") ?? "", at);
        foreach (JsonProperty field in Said(function))
        {
            switch (NameOf(field))
            {
                case "name":
                    break;
                case "description":
                    facts.Set("tool description", JsonWalk.TextOf(field.Value), $"{at}/description");
                    break;
                case "parameters" or "parametersJsonSchema":
                    facts.Set("tool schema", GeminiSchemaText.Plain(field.Value), JsonWalk.Below(at, field.Name));
                    break;
                default:
                    facts.Unknown(field, at);
                    break;
            }
        }
    }

    private static void ReadContents(JsonElement contents, string at, RequestFacts facts)
    {
        if (contents.ValueKind == JsonValueKind.Object)
        {
            ReadContent(contents, at, facts);
            return;
        }

        int index = 0;
        foreach (JsonElement content in JsonWalk.Items(contents))
        {
            ReadContent(content, JsonWalk.Below(at, index++), facts);
        }
    }

    private static void ReadContent(JsonElement content, string at, RequestFacts facts)
    {
        string speaker = Text(content, "role") == "model" ? RequestFacts.Assistant : RequestFacts.User;
        facts.Begin(speaker);
        ReadParts(content, speaker, at, facts);
    }

    private static void ReadParts(JsonElement content, string speaker, string at, RequestFacts facts)
    {
        int index = 0;
        JsonElement? parts = Get(content, "parts");
        foreach (JsonElement part in parts is { ValueKind: JsonValueKind.Object } one ? [one] : JsonWalk.Items(parts))
        {
            ReadPart(part, speaker, JsonWalk.Below($"{at}/parts", index++), facts);
        }
    }

    private static void ReadPart(JsonElement part, string speaker, string at, RequestFacts facts)
    {
        bool isThought = Get(part, "thought") is { ValueKind: JsonValueKind.True };
        foreach (JsonProperty field in JsonWalk.Fields(part).Where(field => field.Value.ValueKind != JsonValueKind.Null))
        {
            string here = JsonWalk.Below(at, field.Name);
            switch (NameOf(field))
            {
                case "thought":
                    break;
                case "text":
                    facts.Say(speaker, isThought ? "thinking" : "text", JsonWalk.TextOf(field.Value), at);
                    break;
                case "thoughtSignature":
                    facts.Say(speaker, "signature", JsonWalk.TextOf(field.Value), here);
                    break;
                case "functionCall":
                    facts.Say(speaker, "call", $"{Text(field.Value, "id")}\n{Text(field.Value, "name")}", at);
                    facts.Say(speaker, "arguments", Get(field.Value, "args") is { } arguments ? JsonWalk.Canonical(arguments) : "{}", $"{here}/args");
                    break;
                case "functionResponse":
                    ReadResult(field.Value, speaker, at, here, facts);
                    break;
                case "inlineData" or "fileData":
                    string type = Text(field.Value, "mimeType") ?? "";
                    string kind = type.StartsWith("image/", StringComparison.Ordinal) ? "image" : type.StartsWith("audio/", StringComparison.Ordinal) ? "audio" : "document";
                    facts.SayMedia(speaker, kind, type, Text(field.Value, "data") ?? Text(field.Value, "fileUri") ?? "", at);
                    break;
                default:
                    // A field beside what the part holds is less than the part.
                    bool isBeside = JsonWalk.Fields(part).Any(static other => NameOf(other) is "text" or "inlineData" or "fileData" or "functionCall" or "functionResponse");
                    facts.Say(speaker, "part", JsonWalk.Canonical(field.Value), isBeside ? here : at);
                    break;
            }
        }
    }

    private static void ReadResult(JsonElement result, string speaker, string at, string here, RequestFacts facts)
    {
        facts.Say(speaker, "result", Text(result, "id") ?? "", at);
        if (Get(result, "response") is { } response)
        {
            facts.Say(speaker, "result text", ResultText(response), $"{here}/response");
        }

        int index = 0;
        foreach (JsonElement part in JsonWalk.Items(Get(result, "parts")))
        {
            ReadPart(part, speaker, JsonWalk.Below($"{here}/parts", index++), facts);
        }
    }

    /// <summary>An object with one text in it is a way to write that text.</summary>
    private static string ResultText(JsonElement response) =>
        response.ValueKind == JsonValueKind.Object && response.EnumerateObject().ToArray() is [{ Name: "result" or "output" or "error" or "content", Value.ValueKind: JsonValueKind.String } only]
            ? JsonWalk.TextOf(only.Value) : response.GetRawText();
}
