using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>OpenAI's Responses.</summary>
internal sealed class ResponsesSurface() : Surface("responses")
{
    public override IEnumerable<Check> Checks => ResponsesChecks.All;

    public override string RequestIdHeader => "x-request-id";

    // A text alone is a conversation here.
    public override string WrongTurns => "5";

    // OpenAI calls an unknown model a wrong request here, and only here.
    public override int[] UnknownModelStatuses => [404, 400];

    public override string PathOf(string model, bool stream) => "/v1/responses";

    public override string Body(string model, string? turns, string more = "", bool stream = false, int maxTokens = 256) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{{(stream ? "\"stream\":true," : "")}{more}{(turns is null ? "" : $"\"input\":{turns},")}\"model\":{Json.Quote(model)},\"max_output_tokens\":{maxTokens}}}");

    public override string Turn(string text, string role = "user") => $$"""{"role":"{{role}}","content":{{Json.Quote(text)}}}""";

    public override void SetKey(HttpRequestHeaders headers, string key) => SetBearer(headers, key);

    protected override string ReadError(Reply reply, JsonElement root) => ReadOpenAIError(root);

    public override IEnumerable<string> ReadModels(JsonElement root) => ReadOpenAIModels(root);
}
