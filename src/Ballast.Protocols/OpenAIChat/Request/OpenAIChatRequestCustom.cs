using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Tools of free text (<c>custom</c>), their calls, and a choice among some of the tools.</summary>
internal static partial class OpenAIChatRequest
{
    private const string AllowedTools = "allowed_tools";

    private static Tool ReadCustom(ref JsonCursor json, string toolAt)
    {
        string at = $"{toolAt}/custom";
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Tool tool = new("", toolAt) { FreeText = new FreeText($"{at}/format") };
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
                case "format" when !json.IsNull:
                    tool = tool with { FreeText = ReadFreeText(json.Take(), $"{at}/format", extras) };
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return tool.Name.Length > 0 ? tool with { Extras = extras } : throw JsonCursor.Missing($"{at}/name");
    }

    private static FreeText ReadFreeText(RawJson raw, string at, List<Extra> extras)
    {
        FreeText text = new(at) { OwnForm = raw };
        using JsonDocument document = JsonDocument.Parse(raw.Utf8);
        JsonElement format = document.RootElement;
        string? type = TextOf(format, "type"u8);
        if (type == "text")
        {
            KeepOthers(format, at, ["type"], extras);
            return text;
        }

        if (type != "grammar" || !format.TryGetProperty("grammar"u8, out JsonElement grammar)
            || TextOf(grammar, "syntax"u8) is not { } syntax || TextOf(grammar, "definition"u8) is not { } definition)
        {
            extras.Add(new Extra("format", at, raw));
            return text;
        }

        KeepOthers(format, at, ["type", "grammar"], extras);
        KeepOthers(grammar, $"{at}/grammar", ["syntax", "definition"], extras);
        return text with { Syntax = syntax, Definition = definition };
    }

    private static ToolChoice? ReadAllowedTools(JsonElement choice, string at, List<Extra> extras)
    {
        if (!choice.TryGetProperty("allowed_tools"u8, out JsonElement allowed) || TextOf(allowed, "mode"u8) is not { } mode || mode is not ("auto" or "required")
            || !allowed.TryGetProperty("tools"u8, out JsonElement tools) || tools.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        List<string> names = [];
        int index = 0;
        foreach (JsonElement tool in tools.EnumerateArray())
        {
            string here = JsonCursor.Below($"{at}/allowed_tools/tools", index++);
            if (TextOf(tool, "type"u8) is not { } type || type is not ("function" or "custom") || !tool.TryGetProperty(type, out JsonElement named) || TextOf(named, "name"u8) is not { } name)
            {
                return null;
            }

            names.Add(name);
            KeepOthers(tool, here, ["type", type], extras);
            KeepOthers(named, $"{here}/{type}", ["name"], extras);
        }

        KeepOthers(choice, at, ["type", AllowedTools], extras);
        KeepOthers(allowed, $"{at}/allowed_tools", ["mode", "tools"], extras);
        return new ToolChoice(mode == "auto" ? ToolChoiceMode.Auto : ToolChoiceMode.Required, null, at) { Allowed = names };
    }

    private static void WriteCustomTool(Output output, Tool tool, FreeText text)
    {
        Utf8JsonWriter json = output.Json;
        string at = $"{tool.Pointer}/custom";
        json.WriteStartObject();
        json.WriteString("type"u8, "custom"u8);
        json.WriteStartObject("custom"u8);
        WriteToolName(output, tool);
        if (tool.Description is not null)
        {
            json.WriteString("description"u8, tool.Description);
        }

        bool isWritten = output.IsOwn && tool.Extras.Any(extra => extra.Pointer == text.Pointer);
        if (output.IsOwn && !text.OwnForm.IsEmpty && !isWritten)
        {
            json.WritePropertyName("format"u8);
            text.OwnForm.WriteTo(json);
        }
        else if (text.Definition is not null)
        {
            json.WriteStartObject("format"u8);
            json.WriteString("type"u8, "grammar"u8);
            json.WriteStartObject("grammar"u8);
            json.WriteString("syntax"u8, text.Syntax);
            json.WriteString("definition"u8, text.Definition);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        WriteExtras(output, tool.Extras, at);
        json.WriteEndObject();
        WriteCacheControl(output, tool.CacheControl);
        WriteOwnExtras(output, tool.Extras, tool.Pointer);
        json.WriteEndObject();
    }

    private static void WriteAllowedTools(Output output, ToolChoice choice, IReadOnlyList<string> allowed)
    {
        Utf8JsonWriter json = output.Json;
        json.WriteStartObject("tool_choice"u8);
        json.WriteString("type"u8, AllowedTools);
        json.WriteStartObject(AllowedTools);
        json.WriteString("mode"u8, choice.Mode == ToolChoiceMode.Auto ? "auto"u8 : "required"u8);
        json.WriteStartArray("tools"u8);
        for (int i = 0; i < allowed.Count; i++)
        {
            string at = JsonCursor.Below("/tool_choice/allowed_tools/tools", i);
            ReadOnlySpan<byte> type = TypeOf(output, allowed[i]);
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            json.WriteStartObject(type);
            json.WriteString("name"u8, NameOf(output, allowed[i]));
            WriteChoiceExtras(output, $"{at}/{(type.StartsWith("c"u8) ? "custom" : "function")}");
            json.WriteEndObject();
            WriteChoiceExtras(output, at);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteChoiceExtras(output, "/tool_choice/allowed_tools");
        json.WriteEndObject();
        WriteChoiceExtras(output, "/tool_choice");
        json.WriteEndObject();
    }

    /// <summary>What the tool of this name is.</summary>
    private static ReadOnlySpan<byte> TypeOf(Output output, string name) =>
        output.Request.Tools.Any(tool => tool.Name == name && tool.FreeText is not null) ? "custom"u8 : "function"u8;
}
