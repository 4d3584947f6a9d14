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

    /// <summary>The answer is an event stream.</summary>
    public bool IsEventStream { get; init; }

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
        (byte[] answer, bool isEventStream) = AnswerOf(response);
        return new RecordedExchange
        {
            Id = Text(root, "id") ?? throw new JsonException("The recording has no id."),
            Provider = Text(root, "provider") ?? "unknown",
            Api = Text(root, "api") ?? "unknown",
            Stream = root.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.True,
            IsRaw = Text(root, "fidelity") == "raw",
            Method = Text(request, "method") ?? "POST",
            Request = request.TryGetProperty("body", out JsonElement body) && body.ValueKind == JsonValueKind.Object ? Raw(body) : default,
            RequestHeaders = Headers(request),
            Status = response.TryGetProperty("status", out JsonElement status) && status.TryGetInt32(out int code) ? code : 200,
            ResponseHeaders = Headers(response),
            Answer = answer,
            IsEventStream = isEventStream,
        };
    }

    private static (byte[] Bytes, bool IsEventStream) AnswerOf(JsonElement response)
    {
        if (Text(response, "sse") is { } sse)
        {
            return (Encoding.UTF8.GetBytes(sse), true);
        }

        if (Text(response, "text") is { } text)
        {
            return (Encoding.UTF8.GetBytes(text), false);
        }

        if (response.TryGetProperty("base64", out JsonElement base64) && base64.ValueKind == JsonValueKind.String)
        {
            return (base64.GetBytesFromBase64(), false);
        }

        bool hasBody = response.TryGetProperty("body", out JsonElement body) && body.ValueKind != JsonValueKind.Null;
        return (hasBody ? Raw(body) : [], false);
    }

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
