using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Bedrock;

/// <summary>The tools of a Converse request, and when they are to be called.</summary>
internal sealed partial record ConverseTools(IReadOnlyList<ToolSpec> Specs, ToolUse Use, string? Named)
{
    public static ConverseTools Read(JsonElement body, ConverseContent content)
    {
        if (ConverseFields.Object(body, "toolConfig") is not { } config)
        {
            return new ConverseTools([], ToolUse.Auto, null);
        }

        JsonElement list = ConverseFields.List(config, "tools") ?? throw ConverseFields.Missing("toolConfig.tools");
        if (list.GetArrayLength() == 0)
        {
            throw BedrockErrors.Invalid("1 validation error detected: Value '[]' at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1");
        }

        List<ToolSpec> specs = [];
        int index = 0;
        foreach (JsonElement tool in list.EnumerateArray())
        {
            string path = $"toolConfig.tools.{index++}";
            JsonProperty member = ConverseFields.OnlyMember(tool, path);
            switch (member.Name)
            {
                case "toolSpec":
                    specs.Add(ReadSpec(member.Value, path + ".member.toolSpec"));
                    content.Count(member.Value.GetRawText());
                    break;
                case "cachePoint":
                    content.Mark(member.Value);
                    break;
                case "systemTool":
                    break;
                default:
                    throw ConverseFields.Wrong();
            }
        }

        return specs.GroupBy(static spec => spec.Name).FirstOrDefault(static group => group.Count() > 1) is { } twice
            ? throw BedrockErrors.Invalid($"The tool {twice.Key} is already defined at toolConfig.tools.{specs.FindIndex(spec => spec.Name == twice.Key)}.")
            : ReadChoice(config, specs);
    }

    private static ToolSpec ReadSpec(JsonElement spec, string path)
    {
        string name = ConverseFields.RequiredText(spec, "name", path);
        if (!Name().IsMatch(name))
        {
            throw BedrockErrors.Invalid($"1 validation error detected: Value '{name}' at '{path}.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+");
        }

        if (ConverseFields.Text(spec, "description") is "")
        {
            throw BedrockErrors.Invalid($"1 validation error detected: Value '' at '{path}.description' failed to satisfy constraint: Member must have length greater than or equal to 1");
        }

        JsonElement schema = ConverseFields.RequiredObject(ConverseFields.RequiredObject(spec, "inputSchema", path), "json", path + ".inputSchema");
        return schema.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.GetString() == "object"
            ? new ToolSpec(name, ConverseFields.Text(spec, "description") ?? "", schema.Clone())
            : throw BedrockErrors.Invalid($"The value at {path}.inputSchema.json.type must be one of the following: object.");
    }

    private static ConverseTools ReadChoice(JsonElement config, List<ToolSpec> specs)
    {
        if (ConverseFields.Object(config, "toolChoice") is not { } choice)
        {
            return new ConverseTools(specs, ToolUse.Auto, null);
        }

        JsonProperty member = ConverseFields.OnlyMember(choice, "toolConfig.toolChoice");
        switch (member.Name)
        {
            case "auto":
                return new ConverseTools(specs, ToolUse.Auto, null);
            case "any":
                return new ConverseTools(specs, ToolUse.Any, null);
            case "tool":
                string name = ConverseFields.RequiredText(member.Value, "name", "toolConfig.toolChoice.tool");
                return specs.Exists(spec => spec.Name == name)
                    ? new ConverseTools(specs, ToolUse.Named, name)
                    : throw BedrockErrors.ByModel($"tool_choice: Tool '{name}' not found in provided tools");
            default:
                throw ConverseFields.Wrong();
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex Name();
}
