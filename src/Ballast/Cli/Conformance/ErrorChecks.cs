using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>What a server must do with requests that are wrong, on either surface: a clear error in the surface's own shape, never a page, never a hang.</summary>
internal static class ErrorChecks
{
    public static IEnumerable<Check> Of(Surface surface) =>
    [
        One(surface, "error-no-key", "A request without a key is refused with 401.", (at, cancel) =>
            RefusedAsync(at, surface, Bytes(Surface.Ask(at.Model)), cancel, key: "", wanted: [401, 403])),
        One(surface, "error-wrong-key", "A wrong key is refused with 401 and not repeated.", async (at, cancel) =>
        {
            const string key = "wrong-key-5f0c1d7e9a";
            string message = await RefusedAsync(at, surface, Bytes(Surface.Ask(at.Model)), cancel, key, wanted: [401, 403]).ConfigureAwait(false);
            Expect.That(!message.Contains(key, StringComparison.Ordinal), "the error repeats the key");
        }),
        One(surface, "error-unknown-model", "An unknown model is refused with 404, in a stream too.", async (at, cancel) =>
        {
            await RefusedAsync(at, surface, Bytes(Surface.Ask("no-such-model-8c1f")), cancel, wanted: [404]).ConfigureAwait(false);
            await RefusedAsync(at, surface, Bytes(Surface.Ask("no-such-model-8c1f", "\"stream\":true,")), cancel, wanted: [404]).ConfigureAwait(false);
        }),
        One(surface, "error-malformed", "Malformed JSON is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, Bytes(Surface.Ask(at.Model)[..^2]), cancel)),
        One(surface, "error-not-an-object", "JSON that is no object is refused with 400.", (at, cancel) => RefusedAsync(at, surface, Bytes("[]"), cancel)),
        One(surface, "error-empty-body", "An empty body is refused with 400.", (at, cancel) => RefusedAsync(at, surface, [], cancel)),
        One(surface, "error-no-messages", "A request without messages is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, Bytes($$"""{"model":{{Json.Quote(at.Model)}},"max_tokens":16}"""), cancel)),
        One(surface, "error-wrong-type", "A field of the wrong type is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, Bytes($$"""{"model":{{Json.Quote(at.Model)}},"max_tokens":16,"messages":"hello"}"""), cancel)),
        One(surface, "error-unknown-role", "An unknown role is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, Bytes($$"""{"model":{{Json.Quote(at.Model)}},"max_tokens":16,"messages":[{"role":"wizard","content":"hello"}]}"""), cancel)),
        One(surface, "error-invalid-utf8", "Bytes that are no UTF-8 are refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, [.. Bytes(Surface.Ask(at.Model, text: "")[..^4]), 0xff, 0xc0, .. Bytes("\"}]}")], cancel)),
        One(surface, "error-deep-json", "JSON a thousand levels deep is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, Bytes(Surface.Ask(at.Model, $"\"metadata\":{new string('[', 1000)}{new string(']', 1000)},")), cancel)),
        One(surface, "error-unknown-path", "An unknown path is refused with 404 as JSON.", async (at, cancel) =>
        {
            Reply reply = await at.SendAsync(HttpMethod.Post, "/v1/no/such/path", new Call(surface, Bytes("{}")), cancel).ConfigureAwait(false);
            Expect.That(reply.Status == 404, $"status {reply.Status}");
            surface.ReadError(reply);
        }),
        One(surface, "error-wrong-method", "GET on a path for POST is refused with 405 or 404.", async (at, cancel) =>
        {
            Reply reply = await at.SendAsync(HttpMethod.Get, surface.Path, new Call(surface), cancel).ConfigureAwait(false);
            Expect.That(reply.Status is 404 or 405, $"status {reply.Status}");
            surface.ReadError(reply);
        }),
        One(surface, "request-id", "Answers and errors carry a request id in the surface's header.", async (at, cancel) =>
        {
            Reply answer = await at.PostAsync(surface, Surface.Ask(at.Model), cancel).ConfigureAwait(false);
            Reply error = await at.PostAsync(surface, "[]", cancel).ConfigureAwait(false);
            Expect.That(answer.Header(surface.RequestIdHeader) is { Length: > 0 }, $"an answer has no {surface.RequestIdHeader}");
            Expect.That(error.Header(surface.RequestIdHeader) is { Length: > 0 }, $"an error has no {surface.RequestIdHeader}");
        }),
        One(surface, "models", "GET /v1/models lists models in the surface's shape.", async (at, cancel) =>
            Expect.That((await ModelList.ReadAsync(at, surface, cancel).ConfigureAwait(false)).Count > 0, "the list is empty")),
        One(surface, "model", "GET /v1/models/{model} describes one of them, and an unknown one is 404.", async (at, cancel) =>
        {
            string name = (await ModelList.ReadAsync(at, surface, cancel).ConfigureAwait(false))[0];
            Reply known = await at.SendAsync(HttpMethod.Get, $"/v1/models/{Uri.EscapeDataString(name)}", new Call(surface), cancel).ConfigureAwait(false);
            Expect.That(known.Status == 200, $"status {known.Status}: {known.Excerpt}");
            using JsonDocument model = Json.Parse(known.Text, "the model");
            Expect.Text(model.RootElement, "id", name, "the model");
            Reply unknown = await at.SendAsync(HttpMethod.Get, "/v1/models/no-such-model-8c1f", new Call(surface), cancel).ConfigureAwait(false);
            Expect.That(unknown.Status == 404, $"status {unknown.Status} for an unknown model");
            surface.ReadError(unknown);
        }),
    ];

    private static Check One(Surface surface, string name, string requirement, Func<Subject, CancellationToken, Task> run) =>
        new(surface.Name, name, requirement, run);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task<string> RefusedAsync(
        Subject at, Surface surface, byte[] body, CancellationToken cancellation, string? key = null, params int[] wanted)
    {
        Reply reply = await at.SendAsync(HttpMethod.Post, surface.Path, new Call(surface, body, key), cancellation).ConfigureAwait(false);
        bool isWanted = wanted.Length == 0 ? reply.Status is 400 or 422 : Array.IndexOf(wanted, reply.Status) >= 0;
        Expect.That(isWanted, $"status {reply.Status}: {reply.Excerpt}");
        return surface.ReadError(reply);
    }
}
