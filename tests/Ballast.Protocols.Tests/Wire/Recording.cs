using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>
/// One recorded exchange of the set that lies outside the repository: the folder named by BALLAST_WIRE, or <c>shared/wire</c> beside the checkout.
/// </summary>
public sealed record Recording(string Id, string Provider, int Status, bool Stream, byte[]? Request, byte[] Answer)
{
    /// <summary>The folder of recordings, or null where there is none.</summary>
    public static string? Root { get; } = FindRoot();

    public static IEnumerable<Recording> Of(string api)
    {
        foreach (string line in File.ReadLines(Path.Combine(Root!, "index.jsonl")))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            if (entry.RootElement.GetProperty("api").GetString() == api)
            {
                yield return Load(Path.Combine(Root!, entry.RootElement.GetProperty("file").GetString()!));
            }
        }
    }

    private static Recording Load(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement root = document.RootElement;
        JsonElement response = root.GetProperty("response");
        bool isBinary = response.TryGetProperty("base64", out JsonElement answer);
        bool isStream = isBinary || response.TryGetProperty("sse", out answer);
        if (!isStream && !response.TryGetProperty("body", out answer))
        {
            // Lines of JSON are kept as plain text.
            isStream = response.TryGetProperty("text", out answer) && root.GetProperty("stream").GetBoolean();
        }

        // A stream that was not asked for as events is one JSON array.
        isStream |= answer.ValueKind == JsonValueKind.Array;
        JsonElement request = root.GetProperty("request").TryGetProperty("body", out JsonElement body) ? body : default;
        return new Recording(
            root.GetProperty("id").GetString()!,
            root.GetProperty("provider").GetString()!,
            response.GetProperty("status").GetInt32(),
            isStream,
            request.ValueKind == JsonValueKind.Object ? Encoding.UTF8.GetBytes(request.GetRawText()) : null,
            answer.ValueKind switch
            {
                JsonValueKind.String when isBinary => answer.GetBytesFromBase64(),
                JsonValueKind.String => Encoding.UTF8.GetBytes(answer.GetString()!),
                JsonValueKind.Undefined => [],
                _ => Encoding.UTF8.GetBytes(answer.GetRawText()),
            });
    }

    private static string? FindRoot()
    {
        if (Environment.GetEnvironmentVariable("BALLAST_WIRE") is { Length: > 0 } named)
        {
            return File.Exists(Path.Combine(named, "index.jsonl")) ? named : null;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "shared", "wire");
            if (File.Exists(Path.Combine(path, "index.jsonl")))
            {
                return path;
            }
        }

        return null;
    }
}
