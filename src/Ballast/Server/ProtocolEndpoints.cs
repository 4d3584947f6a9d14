using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Protocols;
using Ballast.Protocols.Operations;
using Ballast.Transport;

namespace Ballast.Server;

/// <summary>Which path speaks which protocol: a table, no logic. Paths are those that the official SDKs use; a slash at the end changes nothing.</summary>
public static class ProtocolEndpoints
{
    private sealed record Endpoint(string Method, Protocol Protocol, Operation Operation)
    {
        /// <summary>How the path asks for the answer, where it is the path that says so.</summary>
        public StreamForm Stream { get; init; }

        /// <summary>A query parameter without which the path is another one.</summary>
        public string? Query { get; init; }

        /// <summary>What that parameter must say; null takes anything.</summary>
        public string? QueryValue { get; init; }

        /// <summary>See <see cref="RequestAddress.DefaultModel"/>.</summary>
        public string? DefaultModel { get; init; }
    }

    /// <summary>In the model's place where Claude on Vertex AI counts tokens.</summary>
    private const string CountModel = "count-tokens";

    private const string BedrockPrefix = "/model/";

    /// <summary>What a base URL may hold that a client adds itself.</summary>
    private static readonly string[] s_baseParts = ["/", "/v1", "/v1beta", "/v2", "/openai", "/anthropic", "/api"];

    private static readonly Endpoint s_chat = new("POST", ProtocolList.OpenAIChat, Operation.Chat);
    private static readonly Endpoint s_responses = new("POST", ProtocolList.OpenAIResponses, Operation.Chat);
    private static readonly Endpoint s_compact = new("POST", ProtocolList.OpenAIResponses, Operation.Compact);
    private static readonly Endpoint s_models = new("GET", ProtocolList.OpenAIChat, Operation.Models);

    private static readonly Dictionary<string, Endpoint> s_paths = new(Passed().Select(static row => new KeyValuePair<string, Endpoint>(row.Path, row.Endpoint)), StringComparer.Ordinal)
    {
        ["/v1/chat/completions"] = s_chat,
        ["/openai/v1/chat/completions"] = s_chat,
        ["/chat/completions"] = s_chat,
        ["/v1/responses"] = s_responses,
        ["/openai/v1/responses"] = s_responses,
        ["/openai/responses"] = s_responses,
        ["/responses"] = s_responses,
        ["/v1/responses/input_tokens"] = s_responses with { Operation = Operation.CountTokens },
        ["/openai/v1/responses/input_tokens"] = s_responses with { Operation = Operation.CountTokens },
        ["/responses/input_tokens"] = s_responses with { Operation = Operation.CountTokens },
        ["/v1/responses/compact"] = s_compact,
        ["/openai/v1/responses/compact"] = s_compact,
        ["/openai/responses/compact"] = s_compact,
        ["/responses/compact"] = s_compact,
        ["/v1/messages"] = new("POST", ProtocolList.AnthropicMessages, Operation.Chat),
        ["/v1/messages/count_tokens"] = new("POST", ProtocolList.AnthropicMessages, Operation.CountTokens),
        ["/anthropic/v1/messages"] = new("POST", ProtocolList.AnthropicMessages, Operation.Chat),
        ["/anthropic/v1/messages/count_tokens"] = new("POST", ProtocolList.AnthropicMessages, Operation.CountTokens),
        ["/api/chat"] = new("POST", ProtocolList.OllamaChat, Operation.Chat),
        ["/api/tags"] = new("GET", ProtocolList.OllamaChat, Operation.Models),
        ["/api/show"] = new("POST", ProtocolList.OllamaChat, Operation.Models),
        ["/api/version"] = new("GET", ProtocolList.OllamaChat, Operation.Version),
        ["/v2/chat"] = new("POST", ProtocolList.CohereChat, Operation.Chat),
        ["/v2/embed"] = new("POST", ProtocolList.CohereEmbeddings, Operation.Embeddings),
        ["/v2/rerank"] = PassedOn(Operation.Rerank),
        ["/v1/models"] = s_models,
        ["/openai/models"] = s_models,
        ["/openai/v1/models"] = s_models,
        ["/models"] = s_models,
        ["/v1beta/models"] = s_models,
    };

    private static readonly Endpoint s_converse = new("POST", ProtocolList.BedrockConverse, Operation.Chat);
    private static readonly Endpoint s_invoke = new("POST", ProtocolList.BedrockInvoke, Operation.Chat);

    /// <summary>Paths that name a model, the more particular ones first.</summary>
    private static readonly (PathPattern Path, Endpoint Endpoint)[] s_patterns =
    [
        (new("/openai/deployments/", "", "/chat/completions"), s_chat with { Query = "api-version" }),
        .. OperationName.Passed.Select(static operation =>
            (new PathPattern("/openai/deployments/", "", OperationName.PathOf(operation)), PassedOn(operation) with { Query = "api-version" })),
        .. Gemini(),
        .. ClaudeOnVertex(),
        (new("/v1beta/models/", "", ""), s_models),
        (new(BedrockPrefix, "", "/converse"), s_converse with { Stream = StreamForm.Whole }),
        (new(BedrockPrefix, "", "/converse-stream"), s_converse with { Stream = StreamForm.Events }),
        (new(BedrockPrefix, "", "/count-tokens"), s_converse with { Operation = Operation.CountTokens, Stream = StreamForm.Whole }),
        (new(BedrockPrefix, "", "/invoke"), s_invoke with { Stream = StreamForm.Whole }),
        (new(BedrockPrefix, "", "/invoke-with-response-stream"), s_invoke with { Stream = StreamForm.Events }),
        (new("/v1/models/", "", ""), s_models),
        (new("/openai/v1/models/", "", ""), s_models),
        (new("/openai/models/", "", ""), s_models),
        (new("/models/", "", ""), s_models),
    ];

    /// <summary>Every route with a path that takes it, for a test that no route is without its checks.</summary>
    /// <param name="model">Named in paths that name one.</param>
    internal static IEnumerable<(string Method, string Path)> Samples(string model) =>
    [
        .. s_paths.Select(static row => (row.Value.Method, row.Key)),
        .. s_patterns.Select(row => (row.Endpoint.Method,
            row.Path.Prefix + (row.Path.Infix.Length > 0 ? "somewhere" + row.Path.Infix : "")
                + (row.Path.Joint.Length > 0 ? "somebody" + row.Path.Joint + "something" : model) + row.Path.Suffix
                + (row.Endpoint.Query is { } query ? $"?{query}={row.Endpoint.QueryValue ?? "1"}" : ""))),
        .. KeptEndpoints.Samples(),
        .. StatePath.Samples(),
    ];

    /// <summary>The Gemini API, and Vertex AI with a project and a location before the model, or without.</summary>
    private static IEnumerable<(PathPattern, Endpoint)> Gemini()
    {
        Endpoint whole = new("POST", ProtocolList.Gemini, Operation.Chat) { Stream = StreamForm.Whole };
        (string Suffix, Endpoint Endpoint)[] rows =
        [
            (":generateContent", whole),
            (":streamGenerateContent", whole with { Stream = StreamForm.Events, Query = "alt", QueryValue = "sse" }),
            (":streamGenerateContent", whole with { Stream = StreamForm.Array }),
            (":countTokens", whole with { Operation = Operation.CountTokens }),
            (":batchEmbedContents", Embeds(ProtocolList.GeminiEmbeddings)),
            (":embedContent", Embeds(ProtocolList.GeminiEmbedding)),
            (":predict", Embeds(ProtocolList.VertexEmbeddings)),
        ];
        // Google's own client takes the half before a model's slash for its publisher.
        (string Prefix, string Infix, string Joint)[] places =
        [
            ("/models/", "", ""), ("/publishers/google/models/", "", ""), ("/projects/", "/publishers/google/models/", ""), ("/publishers/", "", "/models/"),
            ("/projects/", "/publishers/", "/models/"),
        ];
        return from version in (string[])["/v1beta", "/v1", "/v1beta1"] from place in places from row in rows
            select (new PathPattern(version + place.Prefix, place.Infix, row.Suffix) { Joint = place.Joint }, row.Endpoint);
    }

    private static Endpoint Embeds(Protocol protocol) => new("POST", protocol, Operation.Embeddings) { Stream = StreamForm.Whole };

    /// <summary>Claude as Vertex AI serves it: Messages bodies that name no model. A count has a path of its own, and its model in the body.</summary>
    private static IEnumerable<(PathPattern, Endpoint)> ClaudeOnVertex()
    {
        Endpoint whole = new("POST", ProtocolList.AnthropicMessages, Operation.Chat) { Stream = StreamForm.Whole };
        (string Suffix, Endpoint Endpoint)[] rows = [(":rawPredict", whole), (":streamRawPredict", whole with { Stream = StreamForm.Events })];
        return from version in (string[])["/v1", "/v1beta1"] from row in rows
            select (new PathPattern(version + "/projects/", "/publishers/anthropic/models/", row.Suffix), row.Endpoint);
    }

    private static Endpoint PassedOn(Operation operation) =>
        new("POST", operation == Operation.Embeddings ? ProtocolList.OpenAIEmbeddings : ProtocolList.Opaque, operation)
        {
            DefaultModel = operation == Operation.Moderations ? OpaqueOperation.ModerationModel : null,
        };

    private static IEnumerable<(string Path, Endpoint Endpoint)> Passed() =>
        from operation in OperationName.Passed
        from prefix in (string[])["/v1", "/openai/v1", ""]
        select (prefix + OperationName.PathOf(operation), PassedOn(operation));

    /// <summary>Hands a request to its protocol, or refuses it in the protocol that its caller most likely speaks.</summary>
    public static Task DispatchAsync(HttpCall http, GatewayHandler handler, GatewayError? refusal)
    {
        string path = http.Path;
        if (refusal is not null)
        {
            return HealthPaths.Answer(http, path, isReady: false) ?? handler.RefuseAsync(http, Spoken(http, path), refusal);
        }

        if (path.Length > 1 && path[^1] == '/')
        {
            path = path[..^1];
        }

        // Another vendor has a path of the same name.
        if (KeptEndpoints.Find(path, out string? handle) is { Count: > 0 } kept && (OperationName.IsOfMessageBatch(kept[0].Operation) || Spoken(http, path) == ProtocolList.OpenAIChat))
        {
            return DispatchKeptAsync(http, handler, kept, handle);
        }

        Endpoint? endpoint = Find(http, path, out string? model);
        if (endpoint is null && StatePath.Find(path) is { } state)
        {
            return state.Methods.Split(", ").Contains(http.Method)
                ? handler.HandleStateAsync(http, state)
                : handler.RefuseAsync(http, ProtocolList.OpenAIResponses, GatewayError.MethodNotAllowed, state.Methods);
        }

        if ((endpoint is null ? HealthPaths.Answer(http, path, isReady: true) : null) is { } told)
        {
            return told;
        }

        if ((endpoint is null || (endpoint.Operation == Operation.Models && http.Method == "POST")) && UnofferedPaths.Find(path) is { } unoffered)
        {
            return handler.RefuseAsync(http, Spoken(http, path), GatewayError.InterfaceNotOffered, detail: unoffered);
        }

        if (endpoint is null)
        {
            (GatewayError error, string meant) = IsServedAtItsEnd(http, path, out string end) ? (GatewayError.BaseUrl, end) : (GatewayError.UnknownPath, path);
            return handler.RefuseAsync(http, Spoken(http, meant), error);
        }

        if (http.Method != endpoint.Method && (http.Method, endpoint.Method) != ("HEAD", "GET"))
        {
            return handler.RefuseAsync(http, Spoken(http, path), GatewayError.MethodNotAllowed, endpoint.Method);
        }

        if (model == CountModel && endpoint.Protocol == ProtocolList.AnthropicMessages)
        {
            (model, endpoint) = (null, endpoint with { Operation = Operation.CountTokens });
        }

        Protocol protocol = endpoint.Operation == Operation.Models ? Spoken(http, path) : endpoint.Protocol;
        Protocol spoken = protocol.Family == ProtocolFamily.Opaque ? Spoken(http, path) : protocol;
        RequestAddress address = new(model, endpoint.Stream) { DefaultModel = endpoint.DefaultModel };
        return handler.HandleAsync(http, protocol, endpoint.Operation, address, spoken);
    }

    /// <summary>The commonest of all mistakes: clients that add the version themselves are given a base URL that has it, or one that ends in a slash.</summary>
    private static bool IsServedAtItsEnd(HttpCall http, string path, out string end)
    {
        end = path;
        while (end.IndexOf('/', 1) is var next and > 0 && s_baseParts.Contains(end[..next]))
        {
            end = end[next..];
            if (Find(http, end, out _) is not null || KeptEndpoints.Find(end, out _).Count > 0 || StatePath.Find(end) is not null)
            {
                return true;
            }
        }

        return false;
    }

    private static Task DispatchKeptAsync(HttpCall http, GatewayHandler handler, IReadOnlyList<(string Method, Operation Operation)> kept, string? handle)
    {
        foreach ((string method, Operation operation) in kept)
        {
            if (method == http.Method)
            {
                RequestAddress address = new(null, StreamForm.InBody) { Handle = handle, Query = http.Query };
                return handler.HandleAsync(http, OperationName.IsOfMessageBatch(operation) ? ProtocolList.AnthropicMessages : ProtocolList.Opaque, operation, address);
            }
        }

        return handler.RefuseAsync(http, Spoken(http, http.Path), GatewayError.MethodNotAllowed, string.Join(", ", kept.Select(static one => one.Method)));
    }

    private static Endpoint? Find(HttpCall http, string path, out string? model)
    {
        model = null;
        if (s_paths.TryGetValue(path, out Endpoint? exact))
        {
            return exact;
        }

        foreach ((PathPattern pattern, Endpoint endpoint) in s_patterns)
        {
            if (pattern.Match(path) is { } found && (endpoint.Query is not { } query || (http.Query(query) is { } value && (endpoint.QueryValue ?? value) == value)))
            {
                model = found;
                return endpoint;
            }
        }

        return null;
    }

    /// <summary>The protocol that the caller of a path most likely reads errors in.</summary>
    internal static Protocol Spoken(HttpCall http, string path) =>
        http.Header("anthropic-version") is not null || path.StartsWith("/v1/messages", StringComparison.Ordinal) || path.StartsWith("/anthropic/", StringComparison.Ordinal)
                || path.Contains("/publishers/anthropic/", StringComparison.Ordinal)
            ? ProtocolList.AnthropicMessages
            : path.StartsWith(BedrockPrefix, StringComparison.Ordinal) || path.StartsWith("/guardrail/", StringComparison.Ordinal) || path.StartsWith("/async-invoke", StringComparison.Ordinal)
            ? ProtocolList.BedrockConverse
            : path.StartsWith("/v1beta", StringComparison.Ordinal) || path.StartsWith("/upload/v1beta", StringComparison.Ordinal) || path.StartsWith("/v1alpha", StringComparison.Ordinal) || path.Contains("/publishers/google/", StringComparison.Ordinal) || path.Contains(":generateContent", StringComparison.Ordinal)
                || path.Contains(":streamGenerateContent", StringComparison.Ordinal) || http.Header("x-goog-api-key") is not null
            ? ProtocolList.Gemini
            : path.StartsWith("/api/", StringComparison.Ordinal) ? ProtocolList.OllamaChat
            : path.StartsWith("/v2/", StringComparison.Ordinal) ? ProtocolList.CohereChat
            : ProtocolList.OpenAIChat;
}
