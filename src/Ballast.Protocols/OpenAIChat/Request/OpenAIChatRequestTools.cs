using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Tools on offer, the choice among them, and the form of the answer.</summary>
internal static partial class OpenAIChatRequest
{
    /// <summary>Said to the model where an answer's form is emulated but other tools must stay callable.</summary>
    private const string StructuredOutputInstruction =
        $"When you give your final answer, give it by calling the tool {StructuredOutput.ToolName}, not as text.";

    /// <summary>Longest name of a tool.</summary>
    internal const int ToolNameLengthMax = 64;

    private static List<Tool> ReadTools(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartArray, "an array of tools", at);
        List<Tool> tools = [];
        while (json.NextItem())
        {
            tools.Add(ReadTool(ref json, JsonCursor.Below(at, tools.Count)));
        }

        return tools;
    }

    private static Tool ReadTool(ref JsonCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        RawJson raw = json.Take();
        JsonCursor fields = new(raw.Utf8);
        fields.Begin();
        string? type = null;
        bool isCustom = HasType(raw, "custom");
        Extra? nativeName = null;
        Tool? function = null;
        Tool? custom = null;
        CacheControl? cacheControl = null;
        List<Extra> extras = [];
        while (fields.NextProperty(out string name))
        {
            switch (name)
            {
                case "type":
                    type = fields.Text($"{at}/type");
                    break;
                case "function" when !isCustom:
                    function = ReadFunction(ref fields, at);
                    break;
                case "custom" when isCustom && !fields.IsNull:
                    custom = ReadCustom(ref fields, at);
                    break;
                case "cache_control" when TryReadCacheControl(ref fields, $"{at}/cache_control", out cacheControl):
                    break;
                default:
                    Extra extra = fields.TakeExtra(name, at);
                    nativeName = name == "name" ? extra : nativeName;
                    extras.Add(extra);
                    break;
            }
        }

        if ((type ?? "function") is "function" or "custom")
        {
            Tool tool = (type == "custom" ? custom : function) ?? throw JsonCursor.Missing($"{at}/{type ?? "function"}");
            return tool with { CacheControl = cacheControl, Extras = [.. tool.Extras, .. extras] };
        }

        return new Tool(nativeName?.Value.ToString().Trim('"') ?? type!, at) { Native = raw };
    }

    private static Tool ReadFunction(ref JsonCursor json, string toolAt)
    {
        string at = $"{toolAt}/function";
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Tool tool = new("", toolAt);
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "name":
                    tool = tool with { Name = json.Text($"{at}/name") };
                    break;
                case "description" when !json.IsNull:
                    tool = tool with { Description = json.Text($"{at}/description") };
                    break;
                case "parameters" when !json.IsNull:
                    json.Expect(JsonTokenType.StartObject, "an object", $"{at}/parameters");
                    tool = tool with { Parameters = json.Take() };
                    break;
                case "strict" when !json.IsNull:
                    tool = tool with { Strict = json.Flag($"{at}/strict") };
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return tool.Name.Length > 0 ? tool with { Extras = extras } : throw JsonCursor.Missing($"{at}/name");
    }

    private static void KeepOthers(JsonElement fields, string at, ReadOnlySpan<string> known, List<Extra> extras)
    {
        foreach (JsonProperty field in fields.EnumerateObject())
        {
            if (!known.Contains(field.Name))
            {
                extras.Add(new Extra(field.Name, JsonCursor.Below(at, field.Name), RawJson.From(field.Value.GetRawText())));
            }
        }
    }

    private static ToolChoice? ReadToolChoice(ref JsonCursor json, string at, List<Extra> extras)
    {
        if (json.Token == JsonTokenType.String)
        {
            string word = json.Text(at);
            return word switch
            {
                "auto" => new ToolChoice(ToolChoiceMode.Auto, null, at),
                "none" => new ToolChoice(ToolChoiceMode.None, null, at),
                // "any" is Mistral's word; it knows the other one as well.
                "required" or "any" => new ToolChoice(ToolChoiceMode.Required, null, at),
                _ => throw JsonCursor.Invalid(at, "expected auto, none, required or a named tool"),
            };
        }

        json.Expect(JsonTokenType.StartObject, "a string or an object", at);
        RawJson raw = json.Take();
        using JsonDocument document = JsonDocument.Parse(raw.Utf8);
        JsonElement choice = document.RootElement;
        string kind = TextOf(choice, "type"u8) == "custom" ? "custom" : "function";
        if (choice.TryGetProperty(kind, out JsonElement named) && TextOf(named, "name"u8) is { } name)
        {
            KeepOthers(choice, at, ["type", kind], extras);
            KeepOthers(named, $"{at}/{kind}", ["name"], extras);
            return new ToolChoice(ToolChoiceMode.Named, name, at);
        }

        List<Extra> own = [];
        if (TextOf(choice, "type"u8) == AllowedTools && ReadAllowedTools(choice, at, own) is { } some)
        {
            extras.AddRange(own);
            return some;
        }

        extras.Add(new Extra("tool_choice", at, raw));
        return null;
    }

    private static ResponseFormat? ReadResponseFormat(ref JsonCursor json, string at, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        RawJson raw = json.Take();
        JsonCursor fields = new(raw.Utf8);
        fields.Begin();
        string? type = null;
        ResponseFormat format = new(ResponseFormatKind.Text, at);
        List<Extra> own = [];
        while (fields.NextProperty(out string name))
        {
            if (name == "type")
            {
                type = fields.Text($"{at}/type");
            }
            else if (name == "json_schema" && !fields.IsNull)
            {
                format = ReadJsonSchema(ref fields, $"{at}/json_schema", format, own);
            }
            else
            {
                own.Add(fields.TakeExtra(name, at));
            }
        }

        ResponseFormatKind? kind = type switch
        {
            "text" => ResponseFormatKind.Text,
            "json_object" => ResponseFormatKind.JsonObject,
            "json_schema" => ResponseFormatKind.JsonSchema,
            null => throw JsonCursor.Missing($"{at}/type"),
            _ => null,
        };
        if (kind is null || (kind == ResponseFormatKind.JsonSchema && format.Schema.IsEmpty && format.Name is null))
        {
            extras.Add(new Extra("response_format", at, raw));
            return null;
        }

        extras.AddRange(own);
        return format with { Kind = kind.Value };
    }

    private static ResponseFormat ReadJsonSchema(ref JsonCursor json, string at, ResponseFormat format, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "name" when !json.IsNull:
                    format = format with { Name = json.Text($"{at}/name") };
                    break;
                case "description" when !json.IsNull:
                    format = format with { Description = json.Text($"{at}/description") };
                    break;
                case "schema" when json.Token == JsonTokenType.StartObject:
                    format = format with { Schema = json.Take() };
                    break;
                case "strict" when !json.IsNull:
                    format = format with { Strict = json.Flag($"{at}/strict") };
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return format;
    }

    private static void WriteTools(Output output)
    {
        Utf8JsonWriter json = output.Json;
        ChatRequest request = output.Request;
        List<Tool> tools = [.. request.Tools.Where(tool => output.IsOwn || tool.Native.IsEmpty)];
        foreach (Tool tool in request.Tools.Where(tool => !tool.Native.IsEmpty && !output.IsOwn))
        {
            output.Losses.Add(tool.Pointer, $"The tool {tool.Name} runs at another vendor.");
        }

        bool isEmulated = StructuredOutput.IsEmulated(request, output.Target);
        if (tools.Count > 0 || isEmulated)
        {
            json.WriteStartArray("tools"u8);
            foreach (Tool tool in tools)
            {
                WriteTool(output, tool);
            }

            if (isEmulated)
            {
                WriteStructuredOutputTool(json, request.ResponseFormat!);
            }

            json.WriteEndArray();
        }

        WriteToolChoice(output, tools.Count, isEmulated);
    }

    private static void WriteTool(Output output, Tool tool)
    {
        Utf8JsonWriter json = output.Json;
        if (!tool.Native.IsEmpty)
        {
            tool.Native.WriteTo(json);
            return;
        }

        if (tool.FreeText is { } text)
        {
            WriteCustomTool(output, tool, text);
            return;
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        WriteToolName(output, tool);
        if (tool.Description is not null)
        {
            json.WriteString("description"u8, tool.Description);
        }

        if (!tool.Parameters.IsEmpty)
        {
            json.WritePropertyName("parameters"u8);
            tool.Parameters.WriteTo(json);
        }

        if (tool.Strict is bool strict)
        {
            json.WriteBoolean("strict"u8, strict);
        }

        WriteExtras(output, tool.Extras, $"{tool.Pointer}/function");
        json.WriteEndObject();
        WriteCacheControl(output, tool.CacheControl);
        if (output.IsOwn)
        {
            WriteExtras(output, tool.Extras, tool.Pointer);
        }

        json.WriteEndObject();
    }

    private static void WriteToolName(Output output, Tool tool)
    {
        string name = NameOf(output, tool.Name);
        if (name != tool.Name)
        {
            output.Losses.Add($"{tool.Pointer}/name", $"The tool is known to the model as {name}.");
        }

        output.Json.WriteString("name"u8, name);
    }

    /// <summary>A foreign name that is too long gives way to one made of it; the reader of the answer knows the way back.</summary>
    private static string NameOf(Output output, string name) => output.IsOwn ? name : LegalName.Of(name, ToolNameLengthMax);

    private static void WriteStructuredOutputTool(Utf8JsonWriter json, ResponseFormat format)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, StructuredOutput.ToolName);
        json.WriteString("description"u8, format.Description ?? "Gives the final answer.");
        json.WritePropertyName("parameters"u8);
        (format.Schema.IsEmpty ? RawJson.EmptyObject : format.Schema).WriteTo(json);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteToolChoice(Output output, int toolCount, bool isEmulated)
    {
        Utf8JsonWriter json = output.Json;
        if (isEmulated && (toolCount == 0 || output.Request.ToolChoice?.Mode == ToolChoiceMode.None))
        {
            WriteNamedChoice(json, StructuredOutput.ToolName, null, "function"u8);
            return;
        }

        if (isEmulated && (output.Request.ToolChoice is null or { Mode: ToolChoiceMode.Auto }))
        {
            // The caller's own tools stay callable, and the answer is a call as well: one of them it must be.
            json.WriteString("tool_choice"u8, "required"u8);
            if (output.Request.ToolChoice is { Allowed: not null } some)
            {
                output.Losses.Add(some.Pointer, "All tools may be called where the answer's form is emulated.");
            }

            return;
        }

        if (output.Request.ToolChoice is not { } choice)
        {
            return;
        }

        if (toolCount == 0 && !output.IsOwn)
        {
            if (choice.Mode is ToolChoiceMode.Required or ToolChoiceMode.Named)
            {
                output.Losses.Add(choice.Pointer, "No tool is left to call.");
            }

            return;
        }

        switch (choice.Mode)
        {
            case ToolChoiceMode.Named:
                WriteNamedChoice(json, NameOf(output, choice.Name!), output, TypeOf(output, choice.Name!));
                break;
            case ToolChoiceMode.Auto or ToolChoiceMode.Required when choice.Allowed is { } allowed:
                WriteAllowedTools(output, choice, allowed);
                break;
            case ToolChoiceMode.Required:
                json.WriteString("tool_choice"u8, "required"u8);
                break;
            default:
                json.WriteString("tool_choice"u8, choice.Mode == ToolChoiceMode.None ? "none"u8 : "auto"u8);
                break;
        }
    }

    private static void WriteNamedChoice(Utf8JsonWriter json, string name, Output? own, ReadOnlySpan<byte> type)
    {
        json.WriteStartObject("tool_choice"u8);
        json.WriteString("type"u8, type);
        json.WriteStartObject(type);
        json.WriteString("name"u8, name);
        WriteChoiceExtras(own, type.StartsWith("c"u8) ? "/tool_choice/custom" : "/tool_choice/function");
        json.WriteEndObject();
        WriteChoiceExtras(own, "/tool_choice");
        json.WriteEndObject();
    }

    // Another protocol's are named as lost with all the others of the request.
    private static void WriteChoiceExtras(Output? own, string at)
    {
        if (own is { IsOwn: true })
        {
            WriteExtras(own, own.Request.Extras, at);
        }
    }

    private static void WriteResponseFormat(Output output)
    {
        if (output.Request.ResponseFormat is not { } format || StructuredOutput.IsEmulated(output.Request, output.Target))
        {
            return;
        }

        Utf8JsonWriter json = output.Json;
        json.WriteStartObject("response_format"u8);
        json.WriteString("type"u8, format.Kind switch
        {
            ResponseFormatKind.JsonSchema => "json_schema"u8,
            ResponseFormatKind.JsonObject => "json_object"u8,
            _ => "text"u8,
        });
        if (format.Kind == ResponseFormatKind.JsonSchema)
        {
            json.WriteStartObject("json_schema"u8);
            if (format.Name is not null || !output.IsOwn)
            {
                json.WriteString("name"u8, format.Name ?? "answer");
            }

            if (format.Description is not null)
            {
                json.WriteString("description"u8, format.Description);
            }

            if (!format.Schema.IsEmpty)
            {
                json.WritePropertyName("schema"u8);
                format.Schema.WriteTo(json);
            }

            if (format.Strict is bool strict)
            {
                json.WriteBoolean("strict"u8, strict);
            }

            WriteOwnExtras(output, output.Request.Extras, "/response_format/json_schema");
            json.WriteEndObject();
        }

        WriteOwnExtras(output, output.Request.Extras, "/response_format");
        json.WriteEndObject();
    }

    private static void WriteOwnExtras(Output output, IReadOnlyList<Extra> extras, string at)
    {
        if (output.IsOwn)
        {
            WriteExtras(output, extras, at);
        }
    }

    private static bool TryReadCacheControl(ref JsonCursor json, string at, out CacheControl? cacheControl)
    {
        cacheControl = null;
        if (json.Token != JsonTokenType.StartObject)
        {
            return false;
        }

        // A copy of the cursor looks ahead: a form that is not understood in full must be kept as it is.
        JsonCursor look = json;
        string? ttl = null;
        while (look.NextProperty(out string name))
        {
            if (name == "ttl" && look.Token == JsonTokenType.String)
            {
                ttl = look.Text($"{at}/ttl");
            }
            else if (name != "type" || look.Token != JsonTokenType.String || look.Text($"{at}/type") != "ephemeral")
            {
                return false;
            }
        }

        json = look;
        cacheControl = new CacheControl(at, ttl);
        return true;
    }

    private static void WriteCacheControl(Output output, CacheControl? cacheControl)
    {
        if (cacheControl is null)
        {
            return;
        }

        if (!output.IsOwn && !output.Target.Has(TargetFeatures.CacheControl))
        {
            output.Losses.Add(cacheControl.Pointer, "The endpoint takes no cache breakpoints.");
            return;
        }

        output.Json.WriteStartObject("cache_control"u8);
        output.Json.WriteString("type"u8, "ephemeral"u8);
        if (cacheControl.Ttl is string ttl)
        {
            output.Json.WriteString("ttl"u8, ttl);
        }

        output.Json.WriteEndObject();
    }
}
