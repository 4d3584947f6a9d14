using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>
/// Real requests from a folder of recordings: <c>index.jsonl</c> names the files, or, without it, every <c>.json</c> file is looked at; each holds one exchange.
/// Taken are all that were POSTed to a Chat Completions or Messages endpoint of any provider and whose JSON body was recorded. Only the model is replaced;
/// every other byte of the body stays.
/// </summary>
internal static class RecordedRequests
{
    public const string IndexFile = "index.jsonl";

    /// <summary>Any deployment may answer.</summary>
    private const string Model = "assistant";

    /// <param name="folder">Of recordings.</param>
    /// <param name="countMax">Null takes all.</param>
    /// <param name="seed">Of their order: mixed, so that every phase of the story meets every kind; the same seed takes the same ones.</param>
    /// <returns>The requests, without key; and how many recordings of these two APIs hold no body that could be sent.</returns>
    /// <exception cref="UsageException">The folder holds none, a file cannot be read or is not what it should be.</exception>
    public static (IReadOnlyList<DemoRequest> Requests, int WithoutBody) Load(string folder, int? countMax, int seed)
    {
        if (!Directory.Exists(folder))
        {
            throw new UsageException($"there is no folder '{folder}'.");
        }

        List<DemoRequest> requests = [];
        int withoutBody = 0;
        string current = Path.Combine(folder, IndexFile);
        try
        {
            foreach (string file in Files(folder))
            {
                current = file;
                if (TryRead(file, out DemoRequest? request))
                {
                    withoutBody += request is null ? 1 : 0;
                    requests.AddRange(request is null ? [] : [request]);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or MalformedAnswerException)
        {
            throw new UsageException($"the recording '{current}' cannot be used: {exception.Message}");
        }

        if (requests.Count == 0)
        {
            throw new UsageException($"'{folder}' holds no recorded requests to Chat Completions or Messages (docs/demo.md says how they are written).");
        }

        DemoRequest[] mixed = [.. requests];
        new Random(seed).Shuffle(mixed);
        return ([.. mixed.Take(countMax ?? mixed.Length)], withoutBody);
    }

    private static IEnumerable<string> Files(string folder)
    {
        string index = Path.Combine(folder, IndexFile);
        if (!File.Exists(index))
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                yield return file;
            }

            yield break;
        }

        foreach (string line in File.ReadLines(index).Where(line => !string.IsNullOrWhiteSpace(line)))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            if (AnswerJson.OptionalText(entry.RootElement, "api") is "chat_completions" or "messages")
            {
                yield return Path.Combine(folder, AnswerJson.Text(entry.RootElement, "file", "a line of the index"));
            }
        }
    }

    /// <summary>False where the file is no exchange of these two APIs; a null request where the recording does not hold what was sent.</summary>
    private static bool TryRead(string path, out DemoRequest? recorded)
    {
        recorded = null;
        byte[] bytes = File.ReadAllBytes(path);
        using JsonDocument document = JsonDocument.Parse(bytes);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || AnswerJson.OptionalText(root, "api") is not ("chat_completions" or "messages"))
        {
            return false;
        }

        JsonElement request = AnswerJson.Field(root, "request", JsonValueKind.Object, "a recording");
        if (AnswerJson.OptionalText(request, "method") != "POST")
        {
            return false;
        }

        if (!request.TryGetProperty("body", out JsonElement body) || body.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        JsonElement response = AnswerJson.Field(root, "response", JsonValueKind.Object, "a recording");
        CallerProtocol protocol = AnswerJson.OptionalText(root, "api") == "messages" ? CallerProtocol.Anthropic : CallerProtocol.OpenAI;
        recorded = new DemoRequest
        {
            App = "recorded",
            Key = "",
            Protocol = protocol,
            Stream = body.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.True,
            Body = ReplaceModel(body),
            Headers = protocol == CallerProtocol.Anthropic ? ProtocolHeaders(request) : [],
            RecordingId = AnswerJson.OptionalText(root, "id"),
            WasRefused = AnswerJson.Field(response, "status", JsonValueKind.Number, "a recording").GetInt32() >= 400,
        };
        return true;
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
