using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;

namespace Ballast.Sandbox.Responses;

/// <summary>Reads <c>tools</c> and <c>tool_choice</c>: flat, unlike those of Chat Completions. Tools that the platform itself would run are taken and never used.</summary>
internal static class ResponsesTools
{
    private const int MaxTools = 128;

    private static readonly string[] s_hosted =
    [
        "web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "mcp", "computer_use_preview", "computer", "local_shell", "shell",
        "apply_patch", "tool_search",
    ];

    public static IReadOnlyList<ToolSpec> Read(JsonElement body, bool isLenient)
    {
        if (ChatFields.List(body, "tools", "an array of objects", "tools") is not { } list)
        {
            return [];
        }

        if (list.GetArrayLength() > MaxTools)
        {
            throw ChatErrors.Refused(
                "tools",
                "array_above_max_length",
                $"Invalid 'tools': array too long. Expected an array with maximum length {MaxTools}, but got an array with length {list.GetArrayLength()} instead.");
        }

        return [.. list.EnumerateArray().SelectMany((tool, i) => ReadGroup(tool, $"tools[{i}]", isLenient) ?? [ReadTool(tool, $"tools[{i}]", isLenient)]).OfType<ToolSpec>()];
    }

    public static (ToolUse Use, string? Name, IReadOnlyList<ToolSpec> Allowed) ReadChoice(JsonElement body, IReadOnlyList<ToolSpec> tools)
    {
        if (ChatFields.Find(body, "tool_choice") is not { } choice)
        {
            return (ToolUse.Auto, null, tools);
        }

        if (choice.ValueKind == JsonValueKind.String)
        {
            return ChatFields.Text(choice) switch
            {
                "none" => (ToolUse.Never, null, tools),
                "auto" => (ToolUse.Auto, null, tools),
                "required" when tools.Count > 0 => (ToolUse.Any, null, tools),
                "required" => throw ChatErrors.Refused("tool_choice", null, "Tool choice 'required' must be specified with 'tools' parameter."),
                { } word => throw ChatErrors.BadValue(
                    "tool_choice", $"Invalid value: '{word}'. Supported values are: 'none', 'auto', and 'required'."),
            };
        }

        if (choice.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType("tool_choice", "one of a string or object", choice);
        }

        string type = ChatFields.Text(choice, "type", "tool_choice.type") ?? throw ChatErrors.Missing("tool_choice.type");
        switch (type)
        {
            case "allowed_tools":
                return AllowedTools.Read(choice, "tool_choice", tools, isNested: false);
            case "function" or "custom":
                string name = ChatFields.Text(choice, "name", "tool_choice.name") ?? throw ChatErrors.Missing("tool_choice.name");
                return tools.Any(tool => tool.Name == name && tool.FreeText == (type == "custom"))
                    ? (ToolUse.Named, name, tools)
                    : throw ChatErrors.Refused("tool_choice", null, $"Tool choice '{type}' not found in 'tools' parameter.");
            default:
                return (ToolUse.Auto, null, tools);
        }
    }

    /// <summary>The tools as an answer repeats them, with what the platform has filled in.</summary>
    public static JsonArray Echo(JsonElement body)
    {
        JsonArray tools = ChatFields.Find(body, "tools") is { } list ? JsonNode.Parse(list.GetRawText())!.AsArray() : [];
        foreach (JsonObject function in tools.OfType<JsonObject>().Where(static tool => (string?)tool["type"] == "function"))
        {
            function["strict"] ??= true;
            function["description"] ??= null;
        }

        return tools;
    }

    /// <summary>The tools of a group; null for anything else.</summary>
    private static List<ToolSpec?>? ReadGroup(JsonElement group, string path, bool isLenient)
    {
        if (group.ValueKind != JsonValueKind.Object || ChatFields.Text(group, "type", path + ".type") != "namespace")
        {
            return null;
        }

        string name = ChatFields.Text(group, "name", path + ".name") ?? throw ChatErrors.Missing(path + ".name");
        if (ChatFields.Text(group, "description", path + ".description") is null && !isLenient)
        {
            throw ChatErrors.Missing(path + ".description");
        }

        JsonElement members = ChatFields.List(group, "tools", "an array of objects", path + ".tools") ?? throw ChatErrors.Missing(path + ".tools");
        return [.. members.EnumerateArray().Select((tool, i) => ReadTool(tool, $"{path}.tools[{i}]", isLenient)).Select(tool => tool is null ? null : tool with { Group = name })];
    }

    private static ToolSpec? ReadTool(JsonElement tool, string path, bool isLenient)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", tool);
        }

        string type = ChatFields.Text(tool, "type", path + ".type") ?? throw ChatErrors.Missing(path + ".type");
        if (type is not ("function" or "custom"))
        {
            return isLenient || s_hosted.Any(known => type.StartsWith(known, StringComparison.Ordinal))
                ? null
                : throw ChatErrors.BadValue(path + ".type", $"Invalid value: '{type}'. Supported values are: {string.Join(", ", s_hosted.Select(static name => $"'{name}'"))}, 'function', and 'custom'.");
        }

        string name = ChatFields.Text(tool, "name", path + ".name") ?? throw ChatErrors.Missing(path + ".name");
        if (!ChatTools.IsName(name))
        {
            throw ChatErrors.BadValue(
                path + ".name", $"Invalid '{path}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.");
        }

        string description = ChatFields.Text(tool, "description", path + ".description") ?? "";
        if (type == "custom")
        {
            return new ToolSpec(name, description, null, FreeText: true) { Pattern = FreeTextFormat.ReadPattern(tool, path, isNested: false) };
        }

        JsonElement? parameters = ChatFields.Object(tool, "parameters", path + ".parameters");
        if (!isLenient && parameters is { } schema && ChatFields.Flag(tool, "strict", false, path + ".strict"))
        {
            StrictSchema.Check(schema, $"Invalid schema for function '{name}'", path + ".parameters");
        }

        return new ToolSpec(name, description, parameters);
    }
}
