using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>The models that a server says it has.</summary>
internal static class ModelList
{
    /// <exception cref="NonconformanceException">The list has another shape.</exception>
    public static async Task<IReadOnlyList<string>> ReadAsync(Subject at, Surface surface, CancellationToken cancellation)
    {
        Reply reply = await at.SendAsync(HttpMethod.Get, "/v1/models", new Call(surface), cancellation).ConfigureAwait(false);
        Expect.That(reply.Status == 200, $"status {reply.Status}: {reply.Excerpt}");
        using JsonDocument document = Json.Parse(reply.Text, "the list of models");
        List<string> names = [];
        foreach (JsonElement model in Expect.Field(document.RootElement, "data", JsonValueKind.Array, "the list of models").EnumerateArray())
        {
            names.Add(Expect.Text(model, "id", "a model"));
            if (surface == Surface.Messages)
            {
                Expect.Text(model, "type", "model", "a model");
                Expect.Text(model, "display_name", "a model");
            }
            else
            {
                Expect.Text(model, "object", "model", "a model");
            }
        }

        return names;
    }
}
