using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>Google's generateContent, as the Gemini API serves it.</summary>
internal sealed class GeminiSurface() : Surface("gemini")
{
    private const string ModelPrefix = "models/";

    public override IEnumerable<Check> Checks => GeminiChecks.All;

    // An answer's id stands in its body.
    public override string? RequestIdHeader => null;

    public override string ModelsPath => "/v1beta/models";

    public override string UnknownPathOf(string model) => "/v1beta/no/such/path";

    public override string PathOf(string model, bool stream) => PathOf(model, stream ? "streamGenerateContent?alt=sse" : "generateContent");

    /// <summary>The path of another of a model's methods.</summary>
    public static string PathOf(string model, string method) => $"/v1beta/models/{Uri.EscapeDataString(model)}:{method}";

    public override string Body(string model, string? turns, string more = "", bool stream = false, int maxTokens = 256) =>
        Configured(turns, string.Create(CultureInfo.InvariantCulture, $"\"maxOutputTokens\":{maxTokens}"), more);

    /// <summary>A body whose <c>generationConfig</c> holds these fields.</summary>
    public static string Configured(string? turns, string config, string more = "") =>
        $"{{{more}{(turns is null ? "" : $"\"contents\":{turns},")}\"generationConfig\":{{{config}}}}}";

    public override string Turn(string text, string role = "user") => $$"""{"role":"{{role}}","parts":[{"text":{{Json.Quote(text)}}}]}""";

    public override void SetKey(HttpRequestHeaders headers, string key)
    {
        if (key.Length > 0)
        {
            headers.TryAddWithoutValidation("x-goog-api-key", key);
        }
    }

    protected override string ReadError(Reply reply, JsonElement root)
    {
        JsonElement error = Expect.Field(root, "error", JsonValueKind.Object, "the error");
        long code = Expect.Count(error, "code", "the error");
        Expect.That(code == reply.Status, $"the error's code is {code}, its status {reply.Status}");
        Expect.Text(error, "status", "the error");
        return Expect.Text(error, "message", "the error");
    }

    public override IEnumerable<string> ReadModels(JsonElement root)
    {
        foreach (JsonElement model in Expect.Field(root, "models", JsonValueKind.Array, "the list of models").EnumerateArray())
        {
            yield return ReadModel(model);
        }
    }

    public override string ReadModel(JsonElement root)
    {
        string name = Expect.Text(root, "name", "a model");
        Expect.That(name.StartsWith(ModelPrefix, StringComparison.Ordinal), $"a model's name, '{name}', does not begin with '{ModelPrefix}'");
        return name[ModelPrefix.Length..];
    }
}
