using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>A protocol as its callers see it: path, key, shape of errors.</summary>
internal sealed record Surface(string Name, string Path, string RequestIdHeader)
{
    public static Surface Chat { get; } = new("chat", "/v1/chat/completions", "x-request-id");

    public static Surface Messages { get; } = new("messages", "/v1/messages", "request-id");

    public static IReadOnlyList<Surface> All { get; } = [Chat, Messages];

    /// <summary>The smallest request that is answered with a text.</summary>
    public static string Ask(string model, string more = "", string text = "Say hello in one short sentence.") =>
        $$"""{"model":{{Json.Quote(model)}},"max_tokens":256,{{more}}"messages":[{"role":"user","content":{{Json.Quote(text)}}}]}""";

    /// <summary>Presents a key as this protocol's SDKs do; an empty one presents none.</summary>
    public void SetKey(HttpRequestHeaders headers, string key)
    {
        if (this == Messages)
        {
            headers.Add("anthropic-version", "2023-06-01");
        }

        if (key.Length > 0)
        {
            headers.TryAddWithoutValidation(this == Messages ? "x-api-key" : "Authorization", this == Messages ? key : $"Bearer {key}");
        }
    }

    /// <summary>Holds an error to the protocol's shape and gives its message.</summary>
    /// <exception cref="NonconformanceException">It has another shape.</exception>
    public string ReadError(Reply reply)
    {
        Expect.That(reply.MediaType == "application/json", $"an error comes as '{reply.MediaType}', not as JSON");
        using JsonDocument document = Json.Parse(reply.Text, "the error");
        JsonElement root = document.RootElement;
        if (this == Messages)
        {
            Expect.Text(root, "type", "error", "the error");
        }

        JsonElement error = Expect.Field(root, "error", JsonValueKind.Object, "the error");
        Expect.Text(error, "type", "the error");
        string message = Expect.Text(error, "message", "the error");
        Expect.That(message.Length > 0, "the error says nothing");
        return message;
    }
}
