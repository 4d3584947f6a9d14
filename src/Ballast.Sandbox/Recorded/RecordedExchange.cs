using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox;

/// <summary>One exchange with a real platform as it was recorded: what was asked, what was answered.</summary>
public sealed record RecordedExchange
{
    public required string Id { get; init; }

    /// <summary>Who answered. It never decides how the bytes are read: <see cref="Api"/> does.</summary>
    public required string Provider { get; init; }

    /// <summary>How the bytes look: <c>chat_completions</c>, <c>messages</c>, or an interface that is not replayed.</summary>
    public required string Api { get; init; }

    /// <summary>A streamed answer was asked for or given.</summary>
    public bool Stream { get; init; }

    /// <summary>The recording holds the bytes as they were, but for white space of JSON.</summary>
    public bool IsRaw { get; init; }
    public string Method { get; init; } = "POST";

    /// <summary>The request's JSON as it stands in the recording; empty where none was recorded.</summary>
    public ReadOnlyMemory<byte> Request { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> RequestHeaders { get; init; } = [];
    public int Status { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> ResponseHeaders { get; init; } = [];

    /// <summary>The answer's body. JSON that was recorded in parsed form is written once, here.</summary>
    public ReadOnlyMemory<byte> Answer { get; init; }

    /// <summary>How the answer is cut into pieces.</summary>
    public RecordedFraming Framing { get; init; }

    /// <summary>The address that was asked, as far as it was recorded.</summary>
    public string Url { get; init; } = "";

    /// <summary>The address without host and query.</summary>
    public string Path => Uri.TryCreate(Url, UriKind.Absolute, out Uri? address) ? address.AbsolutePath : Url.Split('?')[0];

    /// <summary>A request's body that is no JSON object: a form, or a file.</summary>
    public ReadOnlyMemory<byte> Form { get; init; }

    /// <summary>The value of a request header, or null.</summary>
    public string? RequestHeader(string name) =>
        RequestHeaders.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <exception cref="JsonException">The text is not what a recording should be.</exception>
    public static RecordedExchange Parse(ReadOnlyMemory<byte> file)
    {
        using JsonDocument document = JsonDocument.Parse(file);
        JsonElement root = document.RootElement;
        JsonElement request = Part(root, "request");
        JsonElement response = Part(root, "response");
        string api = Text(root, "api") ?? "unknown";
        (byte[] answer, RecordedFraming framing) = AnswerOf(response, api);
        return new RecordedExchange
        {
            Id = Text(root, "id") ?? throw new JsonException("The recording has no id."),
            Provider = Text(root, "provider") ?? "unknown",
            Api = api,
            Stream = root.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.True,
            IsRaw = Text(root, "fidelity") == "raw",
            Method = Text(request, "method") ?? "POST",
            Request = request.TryGetProperty("body", out JsonElement body) && body.ValueKind == JsonValueKind.Object ? Raw(body) : default,
            RequestHeaders = Headers(request),
            Status = response.TryGetProperty("status", out JsonElement status) && status.TryGetInt32(out int code) ? code : 200,
            ResponseHeaders = Headers(response),
            Answer = answer,
            Framing = framing,
            Url = Text(request, "url") ?? "",
            Form = FormOf(request),
        };
    }

    private static (byte[] Bytes, RecordedFraming Framing) AnswerOf(JsonElement response, string api)
    {
        if (Text(response, "sse") is { } sse)
        {
            return (Encoding.UTF8.GetBytes(sse), RecordedFraming.Events);
        }

        if (Text(response, "text") is { } text)
        {
            return (Encoding.UTF8.GetBytes(text), api == WireApi.Ollama ? RecordedFraming.Lines : RecordedFraming.Whole);
        }

        if (response.TryGetProperty("base64", out JsonElement base64) && base64.ValueKind == JsonValueKind.String)
        {
            return (base64.GetBytesFromBase64(), IsBinaryStream(response, api) ? RecordedFraming.EventStream : RecordedFraming.Whole);
        }

        bool hasBody = response.TryGetProperty("body", out JsonElement body) && body.ValueKind != JsonValueKind.Null;
        bool isArray = hasBody && api == WireApi.GeminiStream && body.ValueKind == JsonValueKind.Array;
        return (hasBody ? Raw(body) : [], isArray ? RecordedFraming.Array : RecordedFraming.Whole);
    }

    /// <summary>Recorders may leave the media type out.</summary>
    private static bool IsBinaryStream(JsonElement response, string api) => api is WireApi.ConverseStream or WireApi.Invoke || Headers(response).Exists(header =>
        header.Key.Equals("content-type", StringComparison.OrdinalIgnoreCase) && header.Value.StartsWith("application/vnd.amazon.eventstream", StringComparison.OrdinalIgnoreCase));

    private static byte[] FormOf(JsonElement request) =>
        Text(request, "body") is { } text ? Encoding.UTF8.GetBytes(text)
        : request.TryGetProperty("base64", out JsonElement base64) && base64.ValueKind == JsonValueKind.String ? base64.GetBytesFromBase64()
        : [];

    private static JsonElement Part(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement part) && part.ValueKind == JsonValueKind.Object ? part : throw new JsonException($"The recording has no {name}.");

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[] Raw(JsonElement element) => Encoding.UTF8.GetBytes(element.GetRawText());

    private static List<KeyValuePair<string, string>> Headers(JsonElement message)
    {
        List<KeyValuePair<string, string>> headers = [];
        if (message.TryGetProperty("headers", out JsonElement all) && all.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty header in all.EnumerateObject())
            {
                if (header.Value.ValueKind == JsonValueKind.String)
                {
                    headers.Add(new(header.Name, header.Value.GetString()!));
                }
            }
        }

        return headers;
    }
}
