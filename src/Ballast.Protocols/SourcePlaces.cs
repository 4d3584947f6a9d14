using System.Collections.Frozen;

namespace Ballast.Protocols;

/// <summary>
/// Where a caller's protocol has what Chat Completions has below a tool, a call, a picture or the form of an answer: a loss is named by its exact place, and a writer knows
/// no other protocol than its own.
/// </summary>
internal static class SourcePlaces
{
    private const string Chat = "openai-chat";
    private const string Responses = "openai-responses";
    private const string Messages = "anthropic-messages";
    private const string Converse = "bedrock-converse";
    private const string Gemini = "gemini";
    private const string Ollama = "ollama-chat";
    private const string Cohere = "cohere-chat";

    /// <summary>By protocol and path in Chat Completions; what is not here is named as a whole.</summary>
    private static readonly FrozenDictionary<(string Protocol, string Path), string> s_places = new Dictionary<(string, string), string>
    {
        [(Responses, "/function/name")] = "/name",
        [(Messages, "/function/name")] = "/name",
        [(Gemini, "/function/name")] = "/name",
        [(Converse, "/function/name")] = "/toolSpec/name",
        [(Ollama, "/function/name")] = "/function/name",
        [(Cohere, "/function/name")] = "/function/name",
        [(Responses, "/function/strict")] = "/strict",
        [(Messages, "/function/strict")] = "/strict",
        [(Converse, "/function/strict")] = "/toolSpec/strict",
        [(Responses, "/function/parameters")] = "/parameters",
        [(Messages, "/function/parameters")] = "/input_schema",
        [(Converse, "/function/parameters")] = "/toolSpec/inputSchema/json",
        [(Ollama, "/function/parameters")] = "/function/parameters",
        [(Cohere, "/function/parameters")] = "/function/parameters",
        [(Responses, "/function/arguments")] = "/arguments",
        [(Messages, "/function/arguments")] = "/input",
        [(Converse, "/function/arguments")] = "/toolUse/input",
        [(Gemini, "/function/arguments")] = "/functionCall/args",
        [(Ollama, "/function/arguments")] = "/function/arguments",
        [(Cohere, "/function/arguments")] = "/function/arguments",
        [(Responses, "/image_url/detail")] = "/detail",
        [(Cohere, "/image_url/detail")] = "/image_url/detail",
        [(Responses, "/json_schema/name")] = "/name",
        [(Responses, "/json_schema/description")] = "/description",
        [(Responses, "/json_schema/schema")] = "/schema",
        [(Messages, "/json_schema/schema")] = "/schema",
        [(Converse, "/json_schema")] = "/structure/jsonSchema",
        [(Converse, "/json_schema/name")] = "/structure/jsonSchema/name",
        [(Converse, "/json_schema/description")] = "/structure/jsonSchema/description",
        [(Converse, "/json_schema/schema")] = "/structure/jsonSchema/schema",
        [(Cohere, "/json_schema/schema")] = "/json_schema",
    }.ToFrozenDictionary();

    /// <summary>The pointer of what Chat Completions has at <paramref name="path"/> below <paramref name="pointer"/>.</summary>
    public static string Inside(string protocol, string pointer, string path) =>
        protocol == Chat ? pointer + path

        // One switch for all tools.
        : protocol == Cohere && path == "/function/strict" ? "/strict_tools"
        : pointer + s_places.GetValueOrDefault((protocol, path), "");
}
