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

/// <summary>What hosts of OpenAI's shape are sent that differ from OpenAI: known by their platform.</summary>
public sealed class DialectTests
{
    private const string Call = """{"role":"assistant","content":null,"tool_calls":[{"id":"call_abcdefghijklmnop","type":"function","function":{"name":"f","arguments":"{}"}}]}""";
    private const string Result = """{"role":"tool","tool_call_id":"call_abcdefghijklmnop","content":"done"}""";
    private const string Tools = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}]";

    private static JsonElement Sent(string platform, Protocol protocol, string body, out bool isPassedOn) => Sent(platform, protocol, body, out isPassedOn, out _);

    private static JsonElement Sent(string platform, Protocol protocol, string body, out bool isPassedOn, out string[] losses)
    {
        string yaml = $"providers:\n  p:\n    kind: openai-compatible\n    platform: {platform}\n    region: eu-central-1\n    base_url: https://a.example.com/v1\n    api_key_env: KEY\n"
            + "    vendor: by-name\n    data: { geo: eu, retention_days: 0, training: false }\n    deployments: { m: { vendor: meta } }\nkeys:\n  k: { key: key-of-a-client, app: a }\n";
        LoadResult loaded = OptionsLoader.Load(yaml, "dialects.yaml", static _ => "key-of-a-test");
        CatalogSnapshot catalog = CatalogBuilder.Build(loaded.Options ?? throw new InvalidOperationException(ValidConfiguration.Print(loaded)), revision: 1);
        Exchange exchange = new(protocol, Operation.Chat, catalog, new FakeTimeProvider());
        exchange.Envelope = protocol.Peek(Encoding.UTF8.GetBytes(body), exchange.Address);
        exchange.Model = catalog.FindModel("p/m")!;
        Attempt attempt = exchange.BeginAttempt(catalog.Deployments["p/m"]);
        isPassedOn = UpstreamRequest.IsPassthrough(exchange, attempt.Deployment, attempt.Protocol);
        using UpstreamMessage message = UpstreamRequest.Build(exchange, attempt);
        losses = [.. attempt.Losses.Losses.Select(static loss => loss.Pointer).Order(StringComparer.Ordinal)];
        using JsonDocument document = JsonDocument.Parse(message.Body);
        return document.RootElement.Clone();
    }

    [Theory]
    [InlineData("mistral")]
    [InlineData("together")]
    public void ToolIds_OfACallerOfTheSameProtocol_AgreeAndFit(string platform)
    {
        JsonElement sent = Sent(platform, ProtocolList.OpenAIChat, $$"""{"model":"p/m",{{Tools}},"messages":[{"role":"user","content":"x"},{{Call}},{{Result}}],"safe_prompt":true}""", out bool isPassedOn);
        string call = sent.GetProperty("messages")[1].GetProperty("tool_calls")[0].GetProperty("id").GetString()!;
        Assert.Equal(call, sent.GetProperty("messages")[2].GetProperty("tool_call_id").GetString());
        Assert.True(sent.GetProperty("safe_prompt").GetBoolean());
        Assert.Equal(platform != "mistral", isPassedOn);
        Assert.Matches(platform == "mistral" ? "^[a-zA-Z0-9]{9}$" : "^call_abcdefghijklmnop$", call);
    }

    /// <summary>What a host answers with an error is left out and named; a value of such a word, and a name further in, are no such field.</summary>
    [Theory]
    [InlineData("mistral", "/logit_bias", "/logprobs", "/top_logprobs", "/user")]
    [InlineData("groq", "/logit_bias", "/logprobs", "/top_logprobs")]
    [InlineData("together")]
    public void RefusedFields_OfACallerOfTheSameProtocol_AreLeftOutAndNamed(string platform, params string[] lost)
    {
        const string Fields = "\"user\" : \"u-1\",\"logprobs\":true,\"top_logprobs\":2,\"logit_bias\":{\"5\":1},\"safe_prompt\":true,\"seed\":7";
        JsonElement sent = Sent(platform, ProtocolList.OpenAIChat, $$"""{"model":"p/m",{{Fields}},"messages":[{"role":"user","content":"x"}]}""", out bool isPassedOn, out string[] losses);
        Assert.Equal(lost, losses);
        Assert.Equal(lost.Length == 0, isPassedOn);
        foreach (string name in (string[])["user", "logprobs", "top_logprobs", "logit_bias", "safe_prompt", "seed"])
        {
            Assert.Equal(!lost.Contains("/" + name), sent.TryGetProperty(name, out _));
        }
    }

    [Theory]
    [InlineData("mistral")]
    [InlineData("groq")]
    public void RefusedFields_WhereThereAreNone_TheBytesGoOn(string platform)
    {
        Sent(platform, ProtocolList.OpenAIChat, """{"model":"p/m","messages":[{"role":"user","content":"\"user\": and \"logprobs\""}]}""", out bool isPassedOn, out string[] losses);
        Assert.True(isPassedOn);
        Assert.Empty(losses);
    }

    /// <summary>Reasoning is asked for, and forbidden, in the host's own words; where it has none, that is named.</summary>
    [Theory]
    [InlineData("deepseek", "disabled", "{\"type\":\"disabled\"}", "")]
    [InlineData("deepseek", "adaptive", "{\"type\":\"enabled\"}", "low")]
    [InlineData("zai", "disabled", "{\"type\":\"disabled\"}", "")]
    [InlineData("zai", "adaptive", "{\"type\":\"enabled\"}", "", "/output_config/effort")]
    [InlineData("openrouter", "adaptive", "", "low")]
    [InlineData("together", "disabled", "", "", "/output_config/effort", "/thinking")]
    public void Thinking_OfAnotherProtocol_IsSaidInTheHostsWords(string platform, string type, string toggle, string effort, params string[] lost)
    {
        string body = $$$"""{"model":"p/m","max_tokens":9,"thinking":{"type":"{{{type}}}"},"output_config":{"effort":"low"},"messages":[{"role":"user","content":"x"}]}""";
        JsonElement sent = Sent(platform, ProtocolList.AnthropicMessages, body, out _, out string[] losses);
        Assert.Equal(toggle, sent.TryGetProperty("thinking", out JsonElement thinking) ? thinking.GetRawText() : "");
        Assert.Equal(effort, sent.TryGetProperty("reasoning_effort", out JsonElement word) ? word.GetString() : "");
        Assert.Equal(lost, losses);
    }

    [Fact]
    public void RefusedFields_OfAnotherProtocol_AreNamedToo()
    {
        JsonElement sent = Sent("mistral", ProtocolList.AnthropicMessages, """{"model":"p/m","max_tokens":9,"metadata":{"user_id":"u-1"},"messages":[{"role":"user","content":"x"}]}""", out _, out string[] losses);
        Assert.False(sent.TryGetProperty("user", out _));
        Assert.Equal(["/metadata/user_id"], losses);
    }

    [Fact]
    public void ToolIds_OfAnotherProtocol_AgreeAndFit()
    {
        JsonElement sent = Sent(
            "mistral",
            ProtocolList.AnthropicMessages,
            """
            {"model":"p/m","max_tokens":100,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"x"},
            {"role":"assistant","content":[{"type":"tool_use","id":"toolu_01A","name":"f","input":{}},{"type":"tool_use","id":"abcDEF123","name":"f","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01A","content":"a"},{"type":"tool_result","tool_use_id":"abcDEF123","content":"b"}]}]}
            """,
            out _);
        string[] calls = [.. sent.GetProperty("messages")[1].GetProperty("tool_calls").EnumerateArray().Select(static call => call.GetProperty("id").GetString()!)];
        Assert.Equal(calls, sent.GetProperty("messages").EnumerateArray().Skip(2).Select(static message => message.GetProperty("tool_call_id").GetString()));
        Assert.All(calls, static id => Assert.Matches("^[a-zA-Z0-9]{9}$", id));
        Assert.Equal("abcDEF123", calls[1]);
    }

    [Theory]
    [InlineData("mistral", "max_tokens")]
    [InlineData("deepseek", "max_tokens")]
    [InlineData("groq", "max_completion_tokens")]
    [InlineData("xai", "max_completion_tokens")]
    [InlineData("openrouter", "max_completion_tokens")]
    public void Limit_OfACallerOfTheSameProtocol_HasTheNameThatThePlatformTakes(string platform, string field)
    {
        JsonElement sent = Sent(platform, ProtocolList.OpenAIChat, """{"model":"p/m","max_completion_tokens":50,"messages":[{"role":"user","content":"x"}]}""", out _);
        Assert.Equal(50, sent.GetProperty(field).GetInt32());
        Assert.False(sent.TryGetProperty(field == "max_tokens" ? "max_completion_tokens" : "max_tokens", out _));
    }

    [Theory]
    [InlineData("mistral", false)]
    [InlineData("groq", true)]
    [InlineData("together", true)]
    public void Stream_OfAnotherProtocol_AsksForUsageWhereItMay(string platform, bool asks)
    {
        JsonElement sent = Sent(platform, ProtocolList.AnthropicMessages, """{"model":"p/m","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"x"}]}""", out _);
        Assert.Equal(asks, sent.TryGetProperty("stream_options", out _));
    }

    [Theory]
    [InlineData("deepseek", false)]
    [InlineData("groq", false)]
    [InlineData("mistral", true)]
    [InlineData("openrouter", true)]
    public void Schema_WherePlatformsHaveNone_IsEmulated(string platform, bool isNative)
    {
        const string Format = "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":{\"type\":\"object\",\"properties\":{}}}}";
        JsonElement sent = Sent(platform, ProtocolList.OpenAIChat, $$"""{"model":"p/m",{{Format}},"messages":[{"role":"user","content":"x"}]}""", out bool isPassedOn);
        Assert.Equal((isNative, isNative), (isPassedOn, sent.TryGetProperty("response_format", out _)));
    }
}
