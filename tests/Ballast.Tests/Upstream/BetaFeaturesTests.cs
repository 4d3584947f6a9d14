using System.Text;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Tests.Configuration;
using Ballast.Upstream;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Upstream;

/// <summary>Beta features of Anthropic's, from every surface of Claude's to every platform of it: where they are asked for, which may go, which are named as lost.</summary>
public sealed class BetaFeaturesTests
{
    private const string Known = "interleaved-thinking-2025-05-14";
    private const string Long = "context-1m-2025-08-07";

    private const string Providers =
        """
        providers:
          own: { kind: anthropic, platform: anthropic, region: us, base_url: 'https://example.com', api_key_env: KEY, vendor: anthropic, data: { geo: us, retention_days: 0, training: false }, deployments: { m: {} } }
          named: { kind: anthropic, platform: anthropic, region: us, base_url: 'https://example.com', api_key_env: KEY, vendor: anthropic, betas: [made-up], data: { geo: us, retention_days: 0, training: false }, deployments: { m: {} } }
          hosted: { kind: anthropic, platform: aws, region: us, base_url: 'https://example.com', api_key_env: KEY, vendor: anthropic, data: { geo: us, retention_days: 0, training: false }, deployments: { m: {} } }
          invoke: { kind: aws-bedrock, platform: aws, region: us-east-1, api: invoke, api_key_env: KEY, vendor: anthropic, data: { geo: us, retention_days: 0, training: false }, deployments: { m: {} } }
          converse: { kind: aws-bedrock, platform: aws, region: us-east-1, api: converse, api_key_env: KEY, data: { geo: us, retention_days: 0, training: false }, deployments: { m: { vendor: anthropic }, llama: { vendor: meta } } }
          vertex: { kind: vertex, platform: google, region: us-east1, api_key_env: KEY, vendor: anthropic, data: { geo: us, retention_days: 0, training: false }, deployments: { m: {} } }
          openai: { kind: openai, platform: openai, region: us, api_key_env: KEY, vendor: openai, data: { geo: us, retention_days: 0, training: false }, deployments: { m: {} } }
        keys:
          k: { key: key-of-a-client, app: a }
        """;

    // From the header of Messages.
    [Theory]
    [InlineData("own/m", "interleaved-thinking-2025-05-14,made-up", null, "")]
    [InlineData("named/m", "made-up", null, "header:/anthropic-beta/0")]
    [InlineData("hosted/m", Known, null, "header:/anthropic-beta/1")]
    [InlineData("invoke/m", null, Known, "header:/anthropic-beta/1")]
    [InlineData("converse/m", null, Known, "header:/anthropic-beta/1")]
    [InlineData("vertex/m", Known, Known, "header:/anthropic-beta/1")]
    [InlineData("converse/llama", null, null, "header:/anthropic-beta/0 header:/anthropic-beta/1")]
    [InlineData("openai/m", null, null, "header:/anthropic-beta/0 header:/anthropic-beta/1")]
    public void Header_OfMessages_GoesWhereThePlatformTakesIt(string deployment, string? header, string? body, string losses) =>
        Check(Send(ProtocolList.AnthropicMessages, default, deployment, Messages(""), $"{Known}, made-up"), header, body, losses);

    // From the body of InvokeModel.
    [Theory]
    [InlineData("own/m", "interleaved-thinking-2025-05-14,made-up", null, "")]
    [InlineData("hosted/m", Known, null, "/anthropic_beta/1")]
    [InlineData("invoke/m", null, Known, "/anthropic_beta/1")]
    [InlineData("converse/m", null, Known, "/anthropic_beta/1")]
    [InlineData("vertex/m", Known, Known, "/anthropic_beta/1")]
    [InlineData("openai/m", null, null, "/anthropic_beta/0 /anthropic_beta/1")]
    public void Body_OfInvokeModel_GoesWhereThePlatformTakesIt(string deployment, string? header, string? body, string losses) =>
        Check(
            Send(ProtocolList.BedrockInvoke, new RequestAddress(deployment, StreamForm.Whole), deployment, Invoke($"\"anthropic_beta\":[\"{Known}\",\"made-up\"],"), null), header, body, losses);

    [Theory]
    [InlineData("own/m", "interleaved-thinking-2025-05-14,made-up", null, "")]
    [InlineData("invoke/m", null, Known, "/additionalModelRequestFields/anthropic_beta/1")]
    [InlineData("vertex/m", Known, Known, "/additionalModelRequestFields/anthropic_beta/1")]
    public void Body_OfConverse_GoesWhereThePlatformTakesIt(string deployment, string? header, string? body, string losses) =>
        Check(
            Send(
                ProtocolList.BedrockConverse,
                new RequestAddress(deployment, StreamForm.Whole),
                deployment,
                $$"""{"additionalModelRequestFields":{"anthropic_beta":["{{Known}}","made-up"]},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}""",
                null),
            header,
            body,
            losses);

    [Fact]
    public void Header_OfTheLongContext_IsTakenByGoogleInTheBodyOnly() =>
        Check(Send(ProtocolList.AnthropicMessages, default, "vertex/m", Messages(""), $"{Long},{Known}"), Known, $"{Long},{Known}", "");

    [Fact]
    public void Count_AtGoogle_IsAskedWithoutAny()
    {
        (string? header, _, string losses) = Send(ProtocolList.AnthropicMessages, default, "vertex/m", Messages(""), Known, Operation.CountTokens);
        Assert.Null(header);
        Assert.Equal("header:/anthropic-beta/0", losses);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"anthropic_beta\":[\"interleaved-thinking-2025-05-14\"],")]
    [InlineData("\"anthropic_beta\":\"no list\",")]
    public void Body_ThatSaysTheRightThing_GoesOnByteForByte(string field)
    {
        string body = Invoke(field);
        (_, string sent, string losses) = Send(ProtocolList.BedrockInvoke, new RequestAddress("invoke/m", StreamForm.Whole), "invoke/m", body, null);
        Assert.Equal(body, sent);
        Assert.Empty(losses);
    }

    private static string Messages(string field) => $$"""{"model":"x",{{field}}"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}""";

    private static string Invoke(string field) => $$"""{ {{field}}"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}""";

    private static void Check((string? Header, string Body, string Losses) sent, string? header, string? body, string losses)
    {
        Assert.Equal(header, sent.Header);
        Assert.Equal(losses, sent.Losses);
        using JsonDocument document = JsonDocument.Parse(sent.Body);
        JsonElement root = document.RootElement;
        JsonElement owner = root.TryGetProperty("additionalModelRequestFields", out JsonElement fields) ? fields : root;
        Assert.Equal(body, owner.TryGetProperty("anthropic_beta", out JsonElement betas) ? string.Join(',', betas.EnumerateArray()) : null);
        Assert.Equal(body is null ? 0 : 1, sent.Body.Split("\"anthropic_beta\"").Length - 1);
    }

    private static (string? Header, string Body, string Losses) Send(
        Protocol protocol, RequestAddress address, string deployment, string body, string? header, Operation operation = Operation.Chat)
    {
        LoadResult loaded = OptionsLoader.Load(Providers, "betas.yaml", static _ => "key-of-a-test");
        CatalogSnapshot catalog = CatalogBuilder.Build(loaded.Options ?? throw new InvalidOperationException(ValidConfiguration.Print(loaded)), revision: 1);
        Exchange exchange = new(protocol, operation, catalog, new FakeTimeProvider()) { Address = address };
        exchange.Envelope = protocol.Peek(Encoding.UTF8.GetBytes(body), address);
        exchange.Model = catalog.FindModel(deployment)!;
        if (header is not null)
        {
            exchange.ProtocolHeaders.Add(new("anthropic-beta", header));
        }

        Attempt attempt = exchange.BeginAttempt(catalog.Deployments[deployment]);
        using UpstreamMessage message = operation == Operation.Chat ? UpstreamRequest.Build(exchange, attempt)
            : UpstreamRequest.Address(exchange, attempt, new PooledBuffer(), BetaFeatures.Of(exchange, attempt));
        return (message.Headers.Find("anthropic-beta"), Encoding.UTF8.GetString(message.Body.Span), string.Join(' ', attempt.Losses.Losses.Select(static loss => loss.Pointer)));
    }
}
