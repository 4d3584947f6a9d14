using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Tools on offer and the choice among them: flat here, where Chat Completions nests them, and in groups (<c>namespace</c>), which no other protocol has.</summary>
internal static partial class OpenAIResponsesRequest
{
    private static List<Tool> ReadTools(JsonElement value, string at, Draft draft)
    {
        Expect(value, JsonValueKind.Array, "an array of tools", at);
        List<Tool> tools = [];
        int index = 0;
        foreach (JsonElement tool in value.EnumerateArray())
        {
            string here = OpenAIResponsesFault.Below(at, index++);
            if (tool.ValueKind == JsonValueKind.Object && OpenAIResponsesToolNames.IsGroup(tool))
            {
                ReadGroup(tool, here, draft, tools);
            }
            else
            {
                tools.Add(ReadTool(tool, here));
            }
        }

        return tools;
    }

    private static Tool ReadTool(JsonElement tool, string at)
    {
        Expect(tool, JsonValueKind.Object, "an object", at);
        string type = tool.TryGetProperty("type"u8, out JsonElement word) ? Text(word, $"{at}/type") : throw OpenAIResponsesFault.Missing($"{at}/type");
        return type switch
        {
            "function" => ReadFunction(tool, at),
            "custom" => ReadCustom(tool, at),
            _ => new Tool(Optional(tool, "name", at) ?? type, at) { Native = Raw(tool) },
        };
    }

    private static void ReadGroup(JsonElement group, string at, Draft draft, List<Tool> tools)
    {
        ToolPlace place = new(Required(group, "name", at), "", at) { Description = Optional(group, "description", at) };
        AddOthers(group, at, ["type", "name", "description", "tools"], draft.Extras);
        bool isCallable = false;
        int index = 0;
        foreach (JsonElement member in group.GetProperty("tools"u8).EnumerateArray())
        {
            Tool tool = ReadTool(member, OpenAIResponsesFault.Below($"{at}/tools", index++));
            bool isNative = !tool.Native.IsEmpty;
            isCallable |= !isNative;
            tools.Add(isNative ? tool : tool with { Name = draft.Names.NameOf(place.Group, tool.Name), Place = place with { Name = tool.Name } });
        }

        if (!isCallable)
        {
            tools.Add(new Tool(place.Group, at) { Native = Raw(group) });
        }
    }

    private static Tool ReadFunction(JsonElement value, string at)
    {
        Tool tool = new(Required(value, "name", at), at);
        List<Extra> extras = [];
        foreach (JsonProperty field in value.EnumerateObject())
        {
            string here = OpenAIResponsesFault.Below(at, field.Name);
            bool isNull = field.Value.ValueKind == JsonValueKind.Null;
            switch (field.Name)
            {
                case "type" or "name":
                    break;
                case "description" when !isNull:
                    tool = tool with { Description = Text(field.Value, here) };
                    break;
                case "parameters" when !isNull:
                    Expect(field.Value, JsonValueKind.Object, "an object", here);
                    tool = tool with { Parameters = Raw(field.Value) };
                    break;
                case "strict" when !isNull:
                    tool = tool with { Strict = Flag(field.Value, here) };
                    break;
                default:
                    AddExtra(extras, field, at);
                    break;
            }
        }

        return tool with { Extras = extras };
    }

    private static Tool ReadCustom(JsonElement value, string at)
    {
        Tool tool = new(Required(value, "name", at), at) { Description = Optional(value, "description", at), FreeText = new FreeText($"{at}/format") };
        List<Extra> extras = [];
        foreach (JsonProperty field in value.EnumerateObject())
        {
            if (field.NameEquals("format"u8) && field.Value.ValueKind != JsonValueKind.Null)
            {
                tool = tool with { FreeText = ReadFreeText(field, at, extras) };
            }
            else if (field.Name is not ("type" or "name" or "description"))
            {
                AddExtra(extras, field, at);
            }
        }

        return tool with { Extras = extras };
    }

    private static FreeText ReadFreeText(JsonProperty format, string toolAt, List<Extra> extras)
    {
        string at = $"{toolAt}/format";
        Expect(format.Value, JsonValueKind.Object, "an object", at);
        string? type = Optional(format.Value, "type", at);
        FreeText text = new(at) { Syntax = Optional(format.Value, "syntax", at), Definition = Optional(format.Value, "definition", at) };
        if (type != "text" && !(type == "grammar" && text is { Syntax: not null, Definition: not null }))
        {
            AddExtra(extras, format, toolAt);
            return new FreeText(at);
        }

        foreach (JsonProperty field in format.Value.EnumerateObject())
        {
            if (field.Name is not "type" && !(type == "grammar" && field.Name is "syntax" or "definition"))
            {
                AddExtra(extras, field, at);
            }
        }

        return type == "text" ? new FreeText(at) : text;
    }

    private static ToolChoice? ReadToolChoice(JsonElement value, string at, OpenAIResponsesToolNames names, List<Extra> extras)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return value.GetString() switch
            {
                "auto" => new ToolChoice(ToolChoiceMode.Auto, null, at),
                "none" => new ToolChoice(ToolChoiceMode.None, null, at),
                "required" => new ToolChoice(ToolChoiceMode.Required, null, at),
                _ => throw OpenAIResponsesFault.Invalid(at, "expected auto, none, required or a named tool"),
            };
        }

        Expect(value, JsonValueKind.Object, "a string or an object", at);
        string? type = Optional(value, "type", at);
        if (type is "function" or "custom" && Optional(value, "name", at) is { } name)
        {
            AddOthers(value, at, ["type", "name"], extras);
            return new ToolChoice(ToolChoiceMode.Named, names.ChosenBy(name), at);
        }

        List<Extra> own = [];
        if (type == "allowed_tools" && ReadAllowedTools(value, at, names, own) is { } some)
        {
            extras.AddRange(own);
            return some;
        }

        extras.Add(new Extra("tool_choice", at, Raw(value)));
        return null;
    }

    /// <summary>Null where it is no list of tools that have names.</summary>
    private static ToolChoice? ReadAllowedTools(JsonElement value, string at, OpenAIResponsesToolNames names, List<Extra> extras)
    {
        string? mode = Optional(value, "mode", at);
        if (mode is not ("auto" or "required") || !value.TryGetProperty("tools"u8, out JsonElement tools) || tools.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        List<string> allowed = [];
        int index = 0;
        foreach (JsonElement tool in tools.EnumerateArray())
        {
            string here = OpenAIResponsesFault.Below($"{at}/tools", index++);
            Expect(tool, JsonValueKind.Object, "an object", here);
            if (Optional(tool, "type", here) is not ("function" or "custom") || Optional(tool, "name", here) is not { } name)
            {
                return null;
            }

            allowed.Add(names.ChosenBy(name));
            AddOthers(tool, here, ["type", "name"], extras);
        }

        AddOthers(value, at, ["type", "mode", "tools"], extras);
        return new ToolChoice(mode == "auto" ? ToolChoiceMode.Auto : ToolChoiceMode.Required, null, at) { Allowed = allowed };
    }

    private static void AddOthers(JsonElement value, string at, ReadOnlySpan<string> known, List<Extra> extras)
    {
        foreach (JsonProperty field in value.EnumerateObject())
        {
            if (!known.Contains(field.Name))
            {
                AddExtra(extras, field, at);
            }
        }
    }
}
