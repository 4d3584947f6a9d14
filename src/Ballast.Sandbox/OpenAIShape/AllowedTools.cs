using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Reads a choice among some of the tools: flat in the Responses API, nested in Chat Completions.</summary>
internal static class AllowedTools
{
    public static (ToolUse Use, string? Name, IReadOnlyList<ToolSpec> Allowed) Read(JsonElement set, string path, IReadOnlyList<ToolSpec> tools, bool isNested)
    {
        string mode = ChatFields.Text(set, "mode", path + ".mode") ?? throw ChatErrors.Missing(path + ".mode");
        if (mode is not ("auto" or "required"))
        {
            throw ChatErrors.BadValue(path + ".mode", $"Invalid value: '{mode}'. Supported values are: 'auto' and 'required'.");
        }

        JsonElement list = ChatFields.List(set, "tools", "an array of objects", path + ".tools") ?? throw ChatErrors.Missing(path + ".tools");
        List<ToolSpec> allowed = [.. list.EnumerateArray().Select((tool, i) => Find(tool, $"{path}.tools[{i}]", tools, isNested)).OfType<ToolSpec>()];
        return (mode == "required" && allowed.Count > 0 ? ToolUse.Any : ToolUse.Auto, null, allowed);
    }

    /// <summary>Null for a tool that the platform itself would run.</summary>
    private static ToolSpec? Find(JsonElement tool, string path, IReadOnlyList<ToolSpec> tools, bool isNested)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", tool);
        }

        string type = ChatFields.Text(tool, "type", path + ".type") ?? throw ChatErrors.Missing(path + ".type");
        if (type is not ("function" or "custom"))
        {
            return null;
        }

        JsonElement named = isNested ? ChatFields.Object(tool, type, $"{path}.{type}") ?? throw ChatErrors.Missing($"{path}.{type}") : tool;
        path += isNested ? $".{type}" : "";
        string name = ChatFields.Text(named, "name", path + ".name") ?? throw ChatErrors.Missing(path + ".name");
        return tools.FirstOrDefault(one => one.Name == name && one.FreeText == (type == "custom"))
            ?? throw ChatErrors.Refused("tool_choice", null, $"Tool choice '{name}' not found in 'tools' parameter.");
    }
}
