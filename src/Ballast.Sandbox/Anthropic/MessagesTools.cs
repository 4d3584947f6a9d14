using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Reads <c>tools</c> and <c>tool_choice</c> of a Messages request.</summary>
internal static partial class MessagesTools
{
    /// <summary>The tools that the model may call. Tools that Anthropic runs itself are accepted and never called.</summary>
    public static IReadOnlyList<ToolSpec> Read(JsonElement body, InputBlocks blocks)
    {
        List<ToolSpec> tools = [];
        if (MessagesFields.List(body, "tools", "tools") is not { } list)
        {
            return tools;
        }

        int index = 0;
        foreach (JsonElement tool in list.EnumerateArray())
        {
            string path = $"tools.{index++}";
            if (tool.ValueKind != JsonValueKind.Object)
            {
                throw MessagesErrors.Invalid(path, "Input should be a valid dictionary or object to extract fields from");
            }

            blocks.Add(tool, tool.GetRawText(), 0, path);
            if (MessagesFields.Text(tool, "type", path + ".type") is null or "custom")
            {
                tools.Add(ReadCustom(tool, path + ".custom"));
            }
        }

        string? twice = tools.GroupBy(tool => tool.Name).FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null ? tools : throw MessagesErrors.Invalid("tools: Tool names must be unique.");
    }

    public static (ToolUse Use, string? Name, bool Parallel) ReadChoice(JsonElement body, IReadOnlyList<ToolSpec> tools)
    {
        if (MessagesFields.Object(body, "tool_choice", "tool_choice") is not { } choice)
        {
            return (ToolUse.Auto, null, true);
        }

        string type = MessagesFields.RequiredText(choice, "type", "tool_choice.type");
        bool isParallel = !MessagesFields.Flag(choice, "disable_parallel_tool_use", "tool_choice.disable_parallel_tool_use");
        if (!body.TryGetProperty("tools", out _) && type != "none")
        {
            throw MessagesErrors.Invalid("tool_choice may only be specified while providing tools.");
        }

        switch (type)
        {
            case "auto":
                return (ToolUse.Auto, null, isParallel);
            case "any":
                return (ToolUse.Any, null, isParallel);
            case "none":
                return (ToolUse.Never, null, isParallel);
            case "tool":
                string name = MessagesFields.RequiredText(choice, "name", "tool_choice.tool.name");
                bool isCallable = tools.Any(tool => tool.Name == name);
                bool isDeclared = isCallable || body.GetProperty("tools").EnumerateArray().Any(
                    tool => MessagesFields.Text(tool, "name", "tools.name") == name);
                return isDeclared
                    ? (isCallable ? ToolUse.Named : ToolUse.Never, name, isParallel)
                    : throw MessagesErrors.Invalid($"Tool '{name}' not found in provided tools");
            default:
                throw MessagesErrors.Invalid(
                    "tool_choice",
                    $"Input tag '{type}' found using 'type' does not match any of the expected tags: 'any', 'auto', 'none', 'tool'");
        }
    }

    private static ToolSpec ReadCustom(JsonElement tool, string path)
    {
        string name = MessagesFields.RequiredText(tool, "name", path + ".name");
        if (!NamePattern().IsMatch(name))
        {
            throw MessagesErrors.Invalid(path + ".name", "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'");
        }

        JsonElement schema = MessagesFields.Object(tool, "input_schema", path + ".input_schema")
            ?? throw MessagesErrors.Missing(path + ".input_schema");
        if (!schema.TryGetProperty("type", out JsonElement type))
        {
            throw MessagesErrors.Missing(path + ".input_schema.type");
        }

        if (type.ValueKind != JsonValueKind.String || type.GetString() != "object")
        {
            throw MessagesErrors.Invalid(path + ".input_schema.type", "Input should be 'object'");
        }

        return new ToolSpec(name, MessagesFields.Text(tool, "description", path + ".description") ?? "", schema);
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,128}$")]
    private static partial Regex NamePattern();
}
