using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Sandbox;

namespace Ballast.Cli.Replay;

/// <summary>
/// The way of a recorded exchange through the gateway. It follows from the interface and the path that were recorded, never from who answered; what the gateway does not
/// serve, or keeps itself (files, batches, lists of models), has none.
/// </summary>
/// <param name="Api">How the caller speaks.</param>
/// <param name="Operation">The path below the version for what is only passed on; null for chat.</param>
internal sealed record ReplayRoute(string Api, string? Operation)
{
    /// <summary>The path asks for a stream, where the interface says so there.</summary>
    public bool IsStream { get; private init; }

    /// <summary>The path asks for a stream in the form of an array.</summary>
    public bool IsArray { get; private init; }

    /// <summary>It is translated into another protocol, too.</summary>
    public bool IsTranslated => Operation is null;

    /// <summary>The recorded interface for vectors, whoever's form it has.</summary>
    private const string Embeddings = "embeddings";

    /// <summary>Vectors as Vertex AI makes them of its first models.</summary>
    private const string VertexEmbeddings = ":predict";

    /// <summary>What Google's forms of embeddings end their paths on.</summary>
    private static readonly string[] s_googleEmbeddings = [":batchEmbedContents", ":embedContent", VertexEmbeddings];

    /// <summary>Which of the providers that stand beside the recorded ones serves it.</summary>
    public string Beside => Operation == VertexEmbeddings ? ProtocolList.VertexEmbeddings.Name : Api;

    public static ReplayRoute? Of(RecordedExchange exchange)
    {
        if (exchange.Method != "POST" || (exchange.Request.IsEmpty && exchange.Form.IsEmpty && !WireApi.IsKnown(exchange.Api)))
        {
            return null;
        }

        string path = exchange.Path;
        bool isInvokeStream = path.EndsWith("-stream", StringComparison.Ordinal);
        if (WireApi.IsKnown(exchange.Api))
        {
            bool isServed = exchange.Api switch
            {
                WireApi.Responses => path.Length == 0 || path.EndsWith("/responses", StringComparison.Ordinal),
                WireApi.Cohere => path.Length == 0 || path.Contains("/v2/", StringComparison.Ordinal),
                WireApi.Invoke => RecordedRequest.IsOfClaude(exchange.Request),
                _ => true,
            };
            return !isServed ? null : new ReplayRoute(exchange.Api, null)
            {
                IsStream = exchange.Api is WireApi.GeminiStream or WireApi.ConverseStream || isInvokeStream,
                IsArray = exchange.Api == WireApi.GeminiStream && !exchange.Url.Contains("alt=sse", StringComparison.Ordinal),
            };
        }

        string? operation = OperationName.Passed.Select(OperationName.PathOf).FirstOrDefault(one => path.EndsWith(one, StringComparison.Ordinal) && !path.Contains("/organization/", StringComparison.Ordinal));
        if (operation is not null && IsOf(operation, exchange))
        {
            return new ReplayRoute(exchange.Api, operation);
        }

        return path.EndsWith("/messages/count_tokens", StringComparison.Ordinal) ? new ReplayRoute(WireApi.Messages, "/messages/count_tokens")
            : path.EndsWith(":countTokens", StringComparison.Ordinal) ? new ReplayRoute(WireApi.Gemini, ":countTokens")
            : exchange.Api == Embeddings && s_googleEmbeddings.FirstOrDefault(verb => path.EndsWith(verb, StringComparison.Ordinal)) is { } verb ? new ReplayRoute(WireApi.Gemini, verb)
            : path.EndsWith("/v2/embed", StringComparison.Ordinal) ? new ReplayRoute(WireApi.Cohere, "/embed")
            : null;
    }

    /// <summary>Other servers have other interfaces at paths of the same end, and recorders leave out what a form held.</summary>
    private static bool IsOf(string operation, RecordedExchange exchange) =>
        exchange.Form.IsEmpty
            ? operation != OperationName.PathOf(Exchanges.Operation.Embeddings) || RecordedRequest.Has(exchange.Request, "input")
            : exchange.Form.Span.StartsWith("--"u8);

    /// <summary>The interface of another caller, who asks for a deployment in its own words.</summary>
    public static ReplayRoute Plain(string api) => new(api, null);

    /// <summary>The body names the model; else the path does.</summary>
    public bool NamesModel => Api is not (WireApi.Gemini or WireApi.GeminiStream or WireApi.Converse or WireApi.ConverseStream or WireApi.Invoke);

    /// <summary>Path and query with which a caller asks for a deployment.</summary>
    public string PathTo(string deployment)
    {
        string model = Uri.EscapeDataString(deployment);
        return Api switch
        {
            WireApi.Gemini or WireApi.GeminiStream => $"/v1beta/models/{model}{Operation ?? (!IsStream ? ":generateContent" : IsArray ? ":streamGenerateContent" : ":streamGenerateContent?alt=sse")}",
            WireApi.Converse or WireApi.ConverseStream => $"/model/{model}/{(IsStream ? "converse-stream" : "converse")}",
            WireApi.Invoke => $"/model/{model}/{(IsStream ? "invoke-with-response-stream" : "invoke")}",
            WireApi.Ollama => "/api/chat",
            WireApi.Cohere => "/v2" + (Operation ?? "/chat"),
            WireApi.Responses => "/v1/responses",
            _ => "/v1" + (Operation ?? (Api == WireApi.Messages ? "/messages" : "/chat/completions")),
        };
    }

    /// <summary>The model that was asked for, in the body or in the path; null where none was recorded.</summary>
    public string? ModelOf(RecordedExchange exchange, ReadOnlyMemory<byte> body)
    {
        if (NamesModel)
        {
            return exchange.Form.IsEmpty ? RecordedRequest.ModelOf(body) : RecordedForm.ModelOf(exchange.Form);
        }

        string mark = Api is WireApi.Gemini or WireApi.GeminiStream ? "/models/" : "/model/";
        int start = exchange.Path.LastIndexOf(mark, StringComparison.Ordinal);
        int end = start < 0 ? -1 : Api is WireApi.Gemini or WireApi.GeminiStream ? exchange.Path.LastIndexOf(':') : exchange.Path.LastIndexOf('/');
        return end > start + mark.Length ? Uri.UnescapeDataString(exchange.Path[(start + mark.Length)..end]) : null;
    }

    /// <summary>The provider's kind and, where the kind alone does not say it, its protocol.</summary>
    public static (string Kind, string? Protocol) ProviderOf(string provider, string api)
    {
        switch (WireApi.FormOf(api))
        {
            case WireApi.Messages when api != WireApi.Invoke:
                return (ProviderKindName.Anthropic, null);
            case WireApi.Gemini:
                return (ProviderKindName.Gemini, null);
            case WireApi.Converse or WireApi.Messages:
                return (ProviderKindName.AwsBedrock, (api == WireApi.Invoke ? ProtocolList.BedrockInvoke : ProtocolList.BedrockConverse).Name);
            case WireApi.Ollama:
                return (ProviderKindName.Ollama, ProtocolList.OllamaChat.Name);
            case WireApi.Cohere:
                return (ProviderKindName.Cohere, null);
            case WireApi.Chat or WireApi.Responses:
                string? kind = WellKnownProviders.All.FirstOrDefault(known => known.Name == provider)?.Kind;
                return (
                    kind is ProviderKindName.OpenAI or ProviderKindName.AzureOpenAI or ProviderKindName.AwsBedrock ? kind : ProviderKindName.OpenAICompatible,
                    api == WireApi.Responses ? ProtocolList.OpenAIResponses.Name : null);
            default:
                return (ProviderKindName.OpenAICompatible, null);
        }
    }
}
