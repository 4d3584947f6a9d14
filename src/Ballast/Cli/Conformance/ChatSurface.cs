using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>OpenAI's Chat Completions.</summary>
internal sealed class ChatSurface() : Surface("chat")
{
    public override IEnumerable<Check> Checks => ChatChecks.All;

    public override string RequestIdHeader => "x-request-id";

    public override string PathOf(string model, bool stream) => "/v1/chat/completions";

    public override string Body(string model, string? turns, string more = "", bool stream = false, int maxTokens = 256) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{{(stream ? "\"stream\":true," : "")}{more}{(turns is null ? "" : $"\"messages\":{turns},")}\"model\":{Json.Quote(model)},\"max_tokens\":{maxTokens}}}");

    public override string Turn(string text, string role = "user") => $$"""{"role":"{{role}}","content":{{Json.Quote(text)}}}""";

    public override void SetKey(HttpRequestHeaders headers, string key) => SetBearer(headers, key);

    protected override string ReadError(Reply reply, JsonElement root) => ReadOpenAIError(root);

    public override IEnumerable<string> ReadModels(JsonElement root) => ReadOpenAIModels(root);
}
