using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Tools on offer and the choice among them: flat here, where Chat Completions nests them.</summary>
internal static partial class OpenAIResponsesRequest
{
    private static List<Tool> ReadTools(JsonElement value, string at)
    {
        Expect(value, JsonValueKind.Array, "an array of tools", at);
        List<Tool> tools = [];
        foreach (JsonElement tool in value.EnumerateArray())
        {
            string here = OpenAIResponsesFault.Below(at, tools.Count);
            Expect(tool, JsonValueKind.Object, "an object", here);
            string type = tool.TryGetProperty("type"u8, out JsonElement word) ? Text(word, $"{here}/type") : throw OpenAIResponsesFault.Missing($"{here}/type");
            tools.Add(type == "function" ? ReadFunction(tool, here) : new Tool(Optional(tool, "name", here) ?? type, here) { Native = Raw(tool) });
        }

        return tools;
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

    private static ToolChoice? ReadToolChoice(JsonElement value, string at, List<Extra> extras)
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
        string? name = type == "function" ? Optional(value, "name", at) : null;
        if (name is null)
        {
            extras.Add(new Extra("tool_choice", at, Raw(value)));
            return null;
        }

        foreach (JsonProperty field in value.EnumerateObject())
        {
            if (field.Name is not ("type" or "name"))
            {
                AddExtra(extras, field, at);
            }
        }

        return new ToolChoice(ToolChoiceMode.Named, name, at);
    }
}
