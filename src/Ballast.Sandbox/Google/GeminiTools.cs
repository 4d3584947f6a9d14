using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Google;

/// <summary>Reads <c>tools</c> and <c>toolConfig</c>. Tools that Google runs itself are taken and never used.</summary>
internal static partial class GeminiTools
{
    private static readonly string[] s_kinds =
    [
        "functionDeclarations", "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps", "computerUse", "fileSearch", "retrieval",
        "enterpriseWebSearch", "mcpServers",
    ];

    public static IReadOnlyList<ToolSpec> Read(GeminiObject request, bool isLenient)
    {
        List<ToolSpec> tools = [];
        foreach ((JsonElement item, string path) in request.List("tools"))
        {
            GeminiObject tool = GeminiObject.Open(item, path, isLenient, s_kinds);
            foreach ((JsonElement declaration, string at) in tool.List("functionDeclarations"))
            {
                ToolSpec read = ReadDeclaration(declaration, at, isLenient);
                tools.Add(tools.TrueForAll(known => known.Name != read.Name)
                    ? read
                    : throw GoogleErrors.Invalid($"Duplicate function declaration found: {read.Name}"));
            }
        }

        return tools;
    }

    public static (ToolUse Use, string? Name, IReadOnlyList<ToolSpec> Allowed) ReadChoice(GeminiObject request, IReadOnlyList<ToolSpec> tools, bool isLenient)
    {
        if (request.Find("toolConfig") is not { } found)
        {
            return (ToolUse.Auto, null, tools);
        }

        GeminiObject config = GeminiObject.Open(
            found, "tool_config", isLenient, "functionCallingConfig", "retrievalConfig", "includeServerSideToolInvocations");
        if (config.Find("functionCallingConfig") is not { } inner)
        {
            return (ToolUse.Auto, null, tools);
        }

        GeminiObject calling = GeminiObject.Open(
            inner, config.At("functionCallingConfig"), isLenient, "mode", "allowedFunctionNames", "streamFunctionCallArguments");
        string mode = calling.Text("mode") ?? "AUTO";
        IReadOnlyList<string> names = calling.Texts("allowedFunctionNames");
        if (names.Count > 0 && mode is not ("ANY" or "VALIDATED"))
        {
            throw GoogleErrors.Invalid("Function calling config is set without function_declarations or allowed_function_names is set with a mode other than ANY.");
        }

        string? unknown = names.FirstOrDefault(name => !tools.Any(tool => tool.Name == name));
        if (unknown is not null)
        {
            throw GoogleErrors.Invalid($"Allowed function name is not a declared function: {unknown}");
        }

        IReadOnlyList<ToolSpec> allowed = names.Count == 0 ? tools : [.. tools.Where(tool => names.Contains(tool.Name))];
        return mode switch
        {
            "MODE_UNSPECIFIED" or "AUTO" or "VALIDATED" => (ToolUse.Auto, null, allowed),
            "NONE" => (ToolUse.Never, null, tools),
            "ANY" when tools.Count == 0 => throw GoogleErrors.Invalid("Function calling config is set without function_declarations."),
            "ANY" => allowed.Count == 1 ? (ToolUse.Named, allowed[0].Name, allowed) : (ToolUse.Any, null, allowed),
            _ => throw GoogleErrors.WrongType(
                calling.At("mode"), "type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode", calling.Find("mode")!.Value),
        };
    }

    private static ToolSpec ReadDeclaration(JsonElement declaration, string path, bool isLenient)
    {
        GeminiObject function = GeminiObject.Open(
            declaration, path, isLenient, "name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "behavior");
        string name = function.Text("name") ?? "";
        if (!NamePattern().IsMatch(name))
        {
            throw GoogleErrors.Invalid(
                $"* GenerateContentRequest.{function.At("name")}: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), "
                + "underscores (_), dots (.), colons (:) or dashes (-), with a maximum length of 64.");
        }

        if (function.Has("parameters") && function.Has("parametersJsonSchema"))
        {
            throw GoogleErrors.Invalid($"* GenerateContentRequest.{path}: only one of parameters and parameters_json_schema may be set.");
        }

        JsonElement? schema = function.Find("parameters") is { } own
            ? GeminiSchema.Read(own, function.At("parameters"), isLenient)
            : function.Struct("parametersJsonSchema");
        return new ToolSpec(name, function.Text("description") ?? "", schema?.Clone());
    }

    [GeneratedRegex("^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$")]
    private static partial Regex NamePattern();
}
