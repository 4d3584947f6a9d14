using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>Anthropic's Messages.</summary>
internal sealed class MessagesSurface() : Surface("messages")
{
    public override IEnumerable<Check> Checks => MessagesChecks.All;

    public override string RequestIdHeader => "request-id";

    public override string PathOf(string model, bool stream) => "/v1/messages";

    public override string Body(string model, string? turns, string more = "", bool stream = false, int maxTokens = 256) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{{(stream ? "\"stream\":true," : "")}{more}{(turns is null ? "" : $"\"messages\":{turns},")}\"model\":{Json.Quote(model)},\"max_tokens\":{maxTokens}}}");

    public override string Turn(string text, string role = "user") => $$"""{"role":"{{role}}","content":{{Json.Quote(text)}}}""";

    public override void SetKey(HttpRequestHeaders headers, string key)
    {
        headers.Add("anthropic-version", "2023-06-01");
        if (key.Length > 0)
        {
            headers.TryAddWithoutValidation("x-api-key", key);
        }
    }

    protected override string ReadError(Reply reply, JsonElement root)
    {
        Expect.Text(root, "type", "error", "the error");
        return ReadOpenAIError(root);
    }

    public override IEnumerable<string> ReadModels(JsonElement root)
    {
        foreach (JsonElement model in Expect.Field(root, "data", JsonValueKind.Array, "the list of models").EnumerateArray())
        {
            Expect.Text(model, "type", "model", "a model");
            Expect.Text(model, "display_name", "a model");
            yield return Expect.Text(model, "id", "a model");
        }
    }
}
