using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Reads <c>tools</c> and <c>tool_choice</c>, and <c>functions</c> and <c>function_call</c> before them.</summary>
internal static partial class ChatTools
{
    private const int MaxTools = 128;

    public static bool IsName(string name) => name.Length <= 64 && NamePattern().IsMatch(name);

    public static IReadOnlyList<ToolSpec> Read(JsonElement body, bool isLenient, out bool isLegacy)
    {
        isLegacy = false;
        if (ChatFields.List(body, "tools", "an array of objects", "tools") is { } tools)
        {
            if (tools.GetArrayLength() > MaxTools)
            {
                throw ChatErrors.Refused(
                    "tools",
                    "array_above_max_length",
                    $"Invalid 'tools': array too long. Expected an array with maximum length {MaxTools}, "
                    + $"but got an array with length {tools.GetArrayLength()} instead.");
            }

            return [.. tools.EnumerateArray()
                .Where(tool => !isLenient || IsCallable(tool))
                .Select(ReadTool)];
        }

        if (ChatFields.List(body, "functions", "an array of objects", "functions") is not { } functions)
        {
            return [];
        }

        isLegacy = true;
        return [.. functions.EnumerateArray().Select((function, i) => ReadFunction(function, $"functions[{i}]", false))];
    }

    /// <summary>How tools are to be called, the one that must be, and those that may be.</summary>
    public static (ToolUse Use, string? Name, IReadOnlyList<ToolSpec> Allowed) ReadChoice(JsonElement body, IReadOnlyList<ToolSpec> tools, bool isLegacy)
    {
        if (ChatFields.Find(body, "tool_choice") is { ValueKind: JsonValueKind.Object } set && ChatFields.Text(set, "type", "tool_choice.type") == "allowed_tools")
        {
            JsonElement allowed = ChatFields.Object(set, "allowed_tools", "tool_choice.allowed_tools") ?? throw ChatErrors.Missing("tool_choice.allowed_tools");
            return AllowedTools.Read(allowed, "tool_choice.allowed_tools", tools, isNested: true);
        }

        (ToolUse use, string? name) = ReadOneChoice(body, tools, isLegacy);
        return (use, name, tools);
    }

    private static (ToolUse Use, string? Name) ReadOneChoice(JsonElement body, IReadOnlyList<ToolSpec> tools, bool isLegacy)
    {
        string field = isLegacy ? "function_call" : "tool_choice";
        if (ChatFields.Find(body, field) is not { } choice)
        {
            return (ToolUse.Auto, null);
        }

        if (tools.Count == 0)
        {
            return choice.ValueKind == JsonValueKind.String && ChatFields.Text(choice) is "none" or "auto"
                ? (ToolUse.Never, null)
                : throw ChatErrors.Refused(
                    "tool_choice", null, "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.");
        }

        return choice.ValueKind switch
        {
            JsonValueKind.String => ReadWord(ChatFields.Text(choice)),
            JsonValueKind.Object => ReadObject(choice, tools, isLegacy),
            _ => throw ChatErrors.WrongType(field, "one of a string or object", choice),
        };
    }

    public static string InputText(JsonElement body) =>
        (body.TryGetProperty("tools", out JsonElement tools) ? tools.GetRawText() : "")
        + (body.TryGetProperty("functions", out JsonElement functions) ? functions.GetRawText() : "")
        + (body.TryGetProperty("response_format", out JsonElement format) ? format.GetRawText() : "");

    private static (ToolUse Use, string? Name) ReadWord(string word) => word switch
    {
        "none" => (ToolUse.Never, null),
        "auto" => (ToolUse.Auto, null),
        "required" or "any" => (ToolUse.Any, null),
        _ => throw ChatErrors.BadValue(
            "tool_choice", $"Invalid value: '{word}'. Supported values are: 'none', 'auto', and 'required'."),
    };

    private static (ToolUse Use, string? Name) ReadObject(JsonElement choice, IReadOnlyList<ToolSpec> tools, bool isLegacy)
    {
        bool isCustom = ChatFields.Text(choice, "type", "tool_choice.type") == "custom";
        string kind = isCustom ? "custom" : "function";
        JsonElement holder = isLegacy
            ? choice
            : ChatFields.Object(choice, kind, $"tool_choice.{kind}") ?? throw ChatErrors.Missing($"tool_choice.{kind}");
        string name = ChatFields.Text(holder, "name", $"tool_choice.{kind}.name") ?? throw ChatErrors.Missing($"tool_choice.{kind}.name");
        return tools.Any(tool => tool.Name == name && tool.FreeText == isCustom)
            ? (ToolUse.Named, name)
            : throw ChatErrors.Refused("tool_choice", null, $"Tool choice '{name}' not found in 'tools' parameter.");
    }

    /// <summary>Not a tool that some platform runs by itself.</summary>
    private static bool IsCallable(JsonElement tool) =>
        tool.ValueKind != JsonValueKind.Object || !tool.TryGetProperty("type", out JsonElement type)
        || type.ValueKind != JsonValueKind.String || type.GetString() is "function" or "custom";

    private static ToolSpec ReadTool(JsonElement tool, int index)
    {
        string path = $"tools[{index}]";
        if (tool.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", tool);
        }

        string type = ChatFields.Text(tool, "type", path + ".type") ?? throw ChatErrors.Missing(path + ".type");
        return type switch
        {
            "function" => ReadFunction(
                ChatFields.Object(tool, "function", path + ".function") ?? throw ChatErrors.Missing(path + ".function"),
                path + ".function",
                checksStrict: true),
            "custom" => ReadCustom(
                ChatFields.Object(tool, "custom", path + ".custom") ?? throw ChatErrors.Missing(path + ".custom"), path + ".custom"),
            _ => throw ChatErrors.BadValue(
                path + ".type", $"Invalid value: '{type}'. Supported values are: 'function' and 'custom'."),
        };
    }

    private static ToolSpec ReadCustom(JsonElement custom, string path) => new(
        ReadName(custom, path), ChatFields.Text(custom, "description", path + ".description") ?? "", null, FreeText: true)
    {
        Pattern = FreeTextFormat.ReadPattern(custom, path, isNested: true),
    };

    private static ToolSpec ReadFunction(JsonElement function, string path, bool checksStrict)
    {
        string name = ReadName(function, path);
        JsonElement? parameters = ChatFields.Object(function, "parameters", path + ".parameters");
        if (checksStrict && parameters is { } schema && ChatFields.Flag(function, "strict", false, path + ".strict"))
        {
            StrictSchema.Check(schema, $"Invalid schema for function '{name}'", path + ".parameters");
        }

        return new ToolSpec(name, ChatFields.Text(function, "description", path + ".description") ?? "", parameters);
    }

    private static string ReadName(JsonElement owner, string path)
    {
        string name = ChatFields.Text(owner, "name", path + ".name") ?? throw ChatErrors.Missing(path + ".name");
        return IsName(name)
            ? name
            : throw ChatErrors.BadValue(
                path + ".name",
                $"Invalid '{path}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.");
    }

    [GeneratedRegex("^[a-zA-Z0-9_.-]+$")]
    private static partial Regex NamePattern();
}
