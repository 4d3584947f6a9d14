using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>AWS's Converse, with a Bedrock API key.</summary>
internal sealed class BedrockSurface() : Surface("bedrock")
{
    public override IEnumerable<Check> Checks => BedrockChecks.All;

    public override string RequestIdHeader => "x-amzn-requestid";

    // Models are listed by another of AWS's services.
    public override string? ModelsPath => null;

    public override string StreamType => "application/vnd.amazon.eventstream";

    public override string UnknownPathOf(string model) => $"/model/{Uri.EscapeDataString(model)}/no-such-operation";

    // AWS itself calls an unknown model a wrong request.
    public override int[] UnknownModelStatuses => [404, 400];

    public override string PathOf(string model, bool stream) => $"/model/{Uri.EscapeDataString(model)}/{(stream ? "converse-stream" : "converse")}";

    public override string Body(string model, string? turns, string more = "", bool stream = false, int maxTokens = 256) => string.Create(
        CultureInfo.InvariantCulture, $"{{{more}{(turns is null ? "" : $"\"messages\":{turns},")}\"inferenceConfig\":{{\"maxTokens\":{maxTokens}}}}}");

    public override string Turn(string text, string role = "user") => $$"""{"role":"{{role}}","content":[{"text":{{Json.Quote(text)}}}]}""";

    public override void SetKey(HttpRequestHeaders headers, string key) => SetBearer(headers, key);

    protected override string ReadError(Reply reply, JsonElement root)
    {
        string type = reply.Header("x-amzn-errortype") ?? throw new NonconformanceException("an error has no x-amzn-errortype");
        Expect.That(type.Split(':')[0].EndsWith("Exception", StringComparison.Ordinal), $"an error's type, '{type}', is no name of an exception");
        return Expect.Text(root, "message", "the error");
    }

    public override IEnumerable<string> ReadModels(JsonElement root) => throw new NotSupportedException("Converse lists no models.");
}
