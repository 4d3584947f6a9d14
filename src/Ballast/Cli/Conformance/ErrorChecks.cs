using System.Text;

namespace Ballast.Cli.Conformance;

/// <summary>What a server must do with requests that are wrong, on any surface: a clear error in the surface's own shape, never a page, never a hang.</summary>
internal static class ErrorChecks
{
    private const string UnknownModel = "no-such-model-8c1f";

    /// <summary>Where bytes that are no text go into a body.</summary>
    private const string Mark = "@@@@";

    public static IEnumerable<Check> Of(Surface surface) =>
    [
        One(surface, "error-no-key", "A request without a key is refused with 401 or 403.", (at, cancel) =>
            RefusedAsync(at, surface, surface.Ask(at.Model), cancel, key: "", wanted: [401, 403])),
        One(surface, "error-wrong-key", "A wrong key is refused with 401 or 403 (Google: 400) and not repeated.", async (at, cancel) =>
        {
            const string key = "wrong-key-5f0c1d7e9a";
            int[] wanted = surface == Surface.Gemini ? [401, 403, 400] : [401, 403];
            string message = await RefusedAsync(at, surface, surface.Ask(at.Model), cancel, key, wanted: wanted).ConfigureAwait(false);
            Expect.That(!message.Contains(key, StringComparison.Ordinal), "the error repeats the key");
        }),
        One(surface, "error-unknown-model", "An unknown model is refused with 404 (AWS: 400), in a stream too.", async (at, cancel) =>
        {
            foreach (bool stream in (bool[])[false, true])
            {
                await RefusedAsync(at, surface, surface.Ask(UnknownModel, stream: stream), cancel, model: UnknownModel, stream: stream, wanted: surface.UnknownModelStatuses)
                    .ConfigureAwait(false);
            }
        }),
        One(surface, "error-malformed", "Malformed JSON is refused with 400.", (at, cancel) => RefusedAsync(at, surface, surface.Ask(at.Model)[..^2], cancel)),
        One(surface, "error-not-an-object", "JSON that is no object is refused with 400.", (at, cancel) => RefusedAsync(at, surface, "[]", cancel)),
        One(surface, "error-empty-body", "An empty body is refused with 400.", (at, cancel) => RefusedAsync(at, surface, "", cancel)),
        One(surface, "error-no-messages", "A request without messages is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, surface.Body(at.Model, turns: null), cancel)),
        One(surface, "error-wrong-type", "A field of the wrong type is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, surface.Body(at.Model, surface.WrongTurns), cancel)),
        One(surface, "error-unknown-role", "An unknown role is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, surface.Body(at.Model, $"[{surface.Turn("hello", "wizard")}]"), cancel)),
        One(surface, "error-invalid-utf8", "Bytes that are no UTF-8 are refused with 400.", (at, cancel) =>
        {
            string[] around = surface.Ask(at.Model, text: Mark).Split(Mark);
            return RefusedAsync(at, surface, [.. Encoding.UTF8.GetBytes(around[0]), 0xff, 0xc0, .. Encoding.UTF8.GetBytes(around[1])], cancel);
        }),
        One(surface, "error-deep-json", "JSON a thousand levels deep is refused with 400.", (at, cancel) =>
            RefusedAsync(at, surface, surface.Ask(at.Model, $"\"metadata\":{new string('[', 1000)}{new string(']', 1000)},"), cancel)),
        One(surface, "error-unknown-path", "An unknown path is refused with 404 as JSON.", async (at, cancel) =>
        {
            Reply reply = await at.SendAsync(HttpMethod.Post, surface.UnknownPathOf(at.Model), new Call(surface, "{}"u8.ToArray()), cancel).ConfigureAwait(false);
            Expect.That(reply.Status == 404, $"status {reply.Status}");
            surface.ReadError(reply);
        }),
        One(surface, "error-wrong-method", "GET on a path for POST is refused with 405 or 404.", async (at, cancel) =>
        {
            Reply reply = await at.SendAsync(HttpMethod.Get, surface.PathOf(at.Model, stream: false), new Call(surface), cancel).ConfigureAwait(false);
            Expect.That(reply.Status is 404 or 405, $"status {reply.Status}");
            surface.ReadError(reply);
        }),
        .. surface.RequestIdHeader is { } header
            ? [One(surface, "request-id", "Answers and errors carry a request id in the surface's header.", (at, cancel) => CheckIdsAsync(at, surface, header, cancel))]
            : (Check[])[],
        .. surface.ModelsPath is { } models
            ?
            [
                One(surface, "models", $"GET {models} lists models in the surface's shape.", async (at, cancel) =>
                    Expect.That((await ModelList.ReadAsync(at, surface, cancel).ConfigureAwait(false)).Count > 0, "the list is empty")),
                One(surface, "model", $"GET {models}/MODEL describes one of them, and an unknown one is 404.", (at, cancel) => ModelList.CheckOneAsync(at, surface, cancel)),
            ]
            : (Check[])[],
    ];

    private static Check One(Surface surface, string name, string requirement, Func<Subject, CancellationToken, Task> run) =>
        new(surface.Name, name, requirement, run);

    private static async Task CheckIdsAsync(Subject at, Surface surface, string header, CancellationToken cancellation)
    {
        Reply answer = await at.PostAsync(surface, surface.Ask(at.Model), cancellation).ConfigureAwait(false);
        Reply error = await at.PostAsync(surface, "[]", cancellation).ConfigureAwait(false);
        Expect.That(answer.Status == 200 && error.Status is >= 400 and < 500, $"status {answer.Status} for a request, {error.Status} for one that is none");
        Expect.That(answer.Header(header) is { Length: > 0 }, $"an answer has no {header}");
        Expect.That(error.Header(header) is { Length: > 0 }, $"an error has no {header}");
    }

    private static Task<string> RefusedAsync(
        Subject at, Surface surface, string body, CancellationToken cancellation, string? key = null, string? model = null, bool stream = false, params int[] wanted) =>
        RefusedAsync(at, surface, Encoding.UTF8.GetBytes(body), cancellation, key, model, stream, wanted);

    private static async Task<string> RefusedAsync(
        Subject at, Surface surface, byte[] body, CancellationToken cancellation, string? key = null, string? model = null, bool stream = false, params int[] wanted)
    {
        Reply reply = await at.SendAsync(HttpMethod.Post, surface.PathOf(model ?? at.Model, stream), new Call(surface, body, key), cancellation).ConfigureAwait(false);
        bool isWanted = wanted.Length == 0 ? reply.Status is 400 or 422 : Array.IndexOf(wanted, reply.Status) >= 0;
        Expect.That(isWanted, $"status {reply.Status}: {reply.Excerpt}");
        return surface.ReadError(reply);
    }
}
