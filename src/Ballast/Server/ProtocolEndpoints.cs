using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Protocols;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server;

/// <summary>Which path speaks which protocol: a table, no logic. Paths are those that the official SDKs use.</summary>
public static class ProtocolEndpoints
{
    private const string AzurePrefix = "/openai/deployments/";
    private const string ChatPath = "/chat/completions";
    private const string ModelsPath = "/v1/models";

    private sealed record Endpoint(string Method, Protocol Protocol, Operation Operation);

    private static readonly Dictionary<string, Endpoint> Table = new(StringComparer.Ordinal)
    {
        ["/v1/chat/completions"] = new("POST", ProtocolList.OpenAIChat, Operation.Chat),
        ["/openai/v1/chat/completions"] = new("POST", ProtocolList.OpenAIChat, Operation.Chat),
        ["/chat/completions"] = new("POST", ProtocolList.OpenAIChat, Operation.Chat),
        ["/v1/messages"] = new("POST", ProtocolList.AnthropicMessages, Operation.Chat),
        ["/v1/messages/count_tokens"] = new("POST", ProtocolList.AnthropicMessages, Operation.CountTokens),
        ["/v1/models"] = new("GET", ProtocolList.OpenAIChat, Operation.Models),
        ["/openai/models"] = new("GET", ProtocolList.OpenAIChat, Operation.Models),
        ["/openai/v1/models"] = new("GET", ProtocolList.OpenAIChat, Operation.Models),
        ["/models"] = new("GET", ProtocolList.OpenAIChat, Operation.Models),
    };

    /// <summary>Hands a request to its protocol, or refuses it in the protocol that its caller most likely speaks.</summary>
    public static Task DispatchAsync(HttpContext http, GatewayHandler handler, GatewayError? refusal)
    {
        string path = http.Request.Path.Value ?? "/";
        if (refusal is not null)
        {
            return handler.RefuseAsync(http, Spoken(http, path), refusal);
        }

        string? modelOfPath = null;
        if (!Table.TryGetValue(path, out Endpoint? endpoint))
        {
            endpoint = TryAzure(http, path, out modelOfPath) ? Table[ChatPath] : TryModel(path, out modelOfPath) ? Table[ModelsPath] : null;
        }

        if (endpoint is null)
        {
            return handler.RefuseAsync(http, Spoken(http, path), GatewayError.UnknownPath);
        }

        if (http.Request.Method != endpoint.Method)
        {
            return handler.RefuseAsync(http, Spoken(http, path), GatewayError.MethodNotAllowed, endpoint.Method);
        }

        Protocol protocol = endpoint.Operation == Operation.Models ? Spoken(http, path) : endpoint.Protocol;
        return handler.HandleAsync(http, protocol, endpoint.Operation, modelOfPath);
    }

    // /openai/deployments/{model}/chat/completions?api-version=…: the model stands in the path, its slash raw or escaped.
    private static bool TryAzure(HttpContext http, string path, out string? model)
    {
        model = null;
        if (!path.StartsWith(AzurePrefix, StringComparison.Ordinal) || !path.EndsWith(ChatPath, StringComparison.Ordinal)
            || path.Length <= AzurePrefix.Length + ChatPath.Length || !http.Request.Query.ContainsKey("api-version"))
        {
            return false;
        }

        model = Unescaped(path[AzurePrefix.Length..^ChatPath.Length]);
        return true;
    }

    // /v1/models/{model} and its like: the same, at the end of a list's path.
    private static bool TryModel(string path, out string? model)
    {
        foreach (string list in (ReadOnlySpan<string>)["/v1/models/", "/openai/v1/models/", "/openai/models/", "/models/"])
        {
            if (path.Length > list.Length && path.StartsWith(list, StringComparison.Ordinal))
            {
                model = Unescaped(path[list.Length..]);
                return true;
            }
        }

        model = null;
        return false;
    }

    private static string Unescaped(string model) => model.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static Protocol Spoken(HttpContext http, string path) =>
        http.Request.Headers.ContainsKey("anthropic-version") || path.StartsWith("/v1/messages", StringComparison.Ordinal)
            ? ProtocolList.AnthropicMessages
            : ProtocolList.OpenAIChat;
}
