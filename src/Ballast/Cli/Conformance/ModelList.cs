using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>The models that a server says it has.</summary>
internal static class ModelList
{
    /// <exception cref="NonconformanceException">The list has another shape, or the protocol has none.</exception>
    public static async Task<IReadOnlyList<string>> ReadAsync(Subject at, Surface surface, CancellationToken cancellation)
    {
        string path = surface.ModelsPath ?? throw new NonconformanceException($"{surface.Name} lists no models");
        Reply reply = await at.SendAsync(HttpMethod.Get, path, new Call(surface), cancellation).ConfigureAwait(false);
        Expect.That(reply.Status == 200, $"status {reply.Status}: {reply.Excerpt}");
        using JsonDocument document = Json.Parse(reply.Text, "the list of models");
        return [.. surface.ReadModels(document.RootElement)];
    }

    /// <summary>One model's own description names it, an unknown one is not found.</summary>
    public static async Task CheckOneAsync(Subject at, Surface surface, CancellationToken cancellation)
    {
        IReadOnlyList<string> names = await ReadAsync(at, surface, cancellation).ConfigureAwait(false);
        Expect.That(names.Count > 0, "the list of models is empty");
        Reply known = await at.SendAsync(HttpMethod.Get, $"{surface.ModelsPath}/{Uri.EscapeDataString(names[0])}", new Call(surface), cancellation).ConfigureAwait(false);
        Expect.That(known.Status == 200, $"status {known.Status}: {known.Excerpt}");
        using JsonDocument model = Json.Parse(known.Text, "the model");
        Expect.Any(surface.ReadModel(model.RootElement), "the model's name", names[0]);
        Reply unknown = await at.SendAsync(HttpMethod.Get, $"{surface.ModelsPath}/no-such-model-8c1f", new Call(surface), cancellation).ConfigureAwait(false);
        Expect.That(unknown.Status == 404, $"status {unknown.Status} for an unknown model");
        surface.ReadError(unknown);
    }
}
