using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>
/// Real requests from a folder of recordings: <c>index.jsonl</c> names the files, each file holds one exchange. Taken are all that were POSTed to a Chat Completions or
/// Messages endpoint of any provider and whose JSON body was recorded. Only the model is replaced; every other byte of the body stays.
/// </summary>
internal static class RecordedRequests
{
    public const string IndexFile = "index.jsonl";

    /// <summary>Any deployment may answer.</summary>
    private const string Model = "assistant";

    /// <param name="folder">Holds <see cref="IndexFile"/>.</param>
    /// <param name="key">Of the gateway.</param>
    /// <param name="countMax">Null takes all.</param>
    /// <param name="seed">Of their order: mixed, so that every phase of the story meets every kind; the same seed takes the same ones.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="JsonException">A file is not what it should be.</exception>
    public static IReadOnlyList<DemoRequest> Load(string folder, string key, int? countMax, int seed)
    {
        List<DemoRequest> requests = [];
        foreach (string line in File.ReadLines(Path.Combine(folder, IndexFile)).Where(line => line.Length > 0))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            string? api = AnswerJson.OptionalText(entry.RootElement, "api");
            if (api is "chat_completions" or "messages" && AnswerJson.OptionalText(entry.RootElement, "file") is { } file
                && Read(Path.Combine(folder, file), api, key) is { } request)
            {
                requests.Add(request);
            }
        }

        DemoRequest[] mixed = [.. requests];
        new Random(seed).Shuffle(mixed);
        return [.. mixed.Take(countMax ?? mixed.Length)];
    }

    /// <summary>Null where the recording holds no request that can be sent again.</summary>
    private static DemoRequest? Read(string path, string api, string key)
    {
        byte[] bytes = File.ReadAllBytes(path);
        using JsonDocument document = JsonDocument.Parse(bytes);
        JsonElement root = document.RootElement;
        JsonElement request = root.GetProperty("request");
        if (AnswerJson.OptionalText(request, "method") != "POST"
            || !request.TryGetProperty("body", out JsonElement body) || body.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        CallerProtocol protocol = api == "messages" ? CallerProtocol.Anthropic : CallerProtocol.OpenAI;
        return new DemoRequest
        {
            App = "recorded",
            Key = key,
            Protocol = protocol,
            Stream = body.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.True,
            Body = ReplaceModel(body),
            Headers = protocol == CallerProtocol.Anthropic ? ProtocolHeaders(request) : [],
            RecordingId = AnswerJson.OptionalText(root, "id"),
            WasRefused = root.GetProperty("response").GetProperty("status").GetInt32() >= 400,
        };
    }

    /// <summary>The body as recorded but for its model; where the real endpoint had the model in its path, it is put in front.</summary>
    private static byte[] ReplaceModel(JsonElement body)
    {
        byte[] text = Encoding.UTF8.GetBytes(body.GetRawText());
        Utf8JsonReader reader = new(text);
        while (reader.Read())
        {
            if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("model"u8))
            {
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                reader.Skip();
                return [.. text.AsSpan(0, start), .. Encoding.UTF8.GetBytes($"\"{Model}\""), .. text.AsSpan((int)reader.BytesConsumed)];
            }
        }

        string field = body.EnumerateObject().MoveNext() ? $"{{\"model\":\"{Model}\"," : $"{{\"model\":\"{Model}\"";
        return [.. Encoding.UTF8.GetBytes(field), .. text.AsSpan(1)];
    }

    private static KeyValuePair<string, string>[] ProtocolHeaders(JsonElement request)
    {
        request.TryGetProperty("headers", out JsonElement headers);
        string version = Header(headers, "anthropic-version") ?? "2023-06-01";
        return Header(headers, "anthropic-beta") is { } beta
            ? [new("anthropic-version", version), new("anthropic-beta", beta)]
            : [new("anthropic-version", version)];
    }

    private static string? Header(JsonElement headers, string name)
    {
        if (headers.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        JsonProperty found = headers.EnumerateObject().FirstOrDefault(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return found.Value.ValueKind == JsonValueKind.String ? found.Value.GetString() : null;
    }
}
