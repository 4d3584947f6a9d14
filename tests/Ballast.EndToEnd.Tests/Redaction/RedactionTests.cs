using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ballast.EndToEnd.Tests.Redaction;

/// <summary>Surfaces that no SDK of these tests speaks, what a model writes itself, and what is let by.</summary>
public sealed partial class RedactionTests
{
    private const string Mail = "mara.olsen@example.org";

    /// <summary>Two numbers, and a product that could be a card's.</summary>
    private const string Factors = "64000003 * 64000014";
    private const string Product = "4096001088000042";

    [Theory]
    [InlineData("/model/bedrock%2Fclaude-haiku-4-5/converse", """{"messages":[{"role":"user","content":[{"text":"PROMPT"}]}]}""")]
    [InlineData("/model/bedrock%2Fclaude-haiku-4-5/converse-stream", """{"messages":[{"role":"user","content":[{"text":"PROMPT"}]}]}""")]
    [InlineData("/model/openai%2Fgpt-5-mini/converse-stream", """{"messages":[{"role":"user","content":[{"text":"PROMPT"}]}]}""")]
    [InlineData("/api/chat", """{"model":"ollama/qwen3","stream":false,"messages":[{"role":"user","content":"PROMPT"}]}""")]
    [InlineData("/api/chat", """{"model":"ollama/qwen3","messages":[{"role":"user","content":"PROMPT"}]}""")]
    [InlineData("/v2/chat", """{"model":"cohere/command-a","messages":[{"role":"user","content":"PROMPT"}]}""")]
    [InlineData("/v2/chat", """{"model":"cohere/command-a","stream":true,"messages":[{"role":"user","content":"PROMPT"}]}""")]
    [InlineData("/v1beta/models/gemini/gemini-3.5-flash:streamGenerateContent", """{"contents":[{"role":"user","parts":[{"text":"PROMPT"}]}]}""")]
    public async Task Surface_WithoutItsSdk_GivesBackWhatWasTakenOut(string path, string body)
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();

        (int status, string answer, _) = await gateway.AskAsync(path, body.Replace("PROMPT", $"Reply with exactly 'Write to {Mail} soon'", StringComparison.Ordinal));

        Assert.True(status == 200, answer);
        Assert.Contains($"Write to {Mail} soon", TextOf(answer), StringComparison.Ordinal);
        Assert.DoesNotContain(Mail, gateway.Sent, StringComparison.Ordinal);
        Assert.Contains("EMAIL-", gateway.Sent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rerank_Documents_LeaveWithoutTheirValues()
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();

        (int status, string answer, _) = await gateway.AskAsync("/v2/rerank", $$"""{"model":"cohere/rerank-v3.5","query":"Who is {{Mail}}?","documents":["{{Mail}} is Mara","nothing"]}""");

        Assert.True(status == 200, answer);
        Assert.DoesNotContain(Mail, gateway.Sent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BedrockCount_WrappedInWhateverWay_LeavesWithoutItsValues()
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();
        string converse = """{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"I am MAIL."}]}]}}}""".Replace("MAIL", Mail, StringComparison.Ordinal);
        string picture = """{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"PNG"}}]}]}""".Replace("PNG", Convert.ToBase64String(new byte[3000]), StringComparison.Ordinal);
        string invoke = """{"input":{"invokeModel":{"body":"BODY"}}}""".Replace("BODY", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(picture)), StringComparison.Ordinal);

        (int status, string answer, _) = await gateway.AskAsync("/model/bedrock%2Fclaude-haiku-4-5/count-tokens", converse);
        (int refused, string error, _) = await gateway.AskAsync("/model/bedrock%2Fclaude-haiku-4-5/count-tokens", invoke);

        Assert.True(status == 200 && answer.Contains("inputTokens", StringComparison.Ordinal), answer);
        Assert.Contains("EMAIL-", gateway.Sent, StringComparison.Ordinal);
        Assert.DoesNotContain(Mail, gateway.Sent, StringComparison.Ordinal);
        Assert.True(refused == 400 && error.Contains("ballast_unreadable", StringComparison.Ordinal), error);
    }

    [Fact]
    public async Task MessageBatch_ItsRequestsAreNotSearched_IsRefused()
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();
        string body = $$$"""{"requests":[{"custom_id":"a","params":{"model":"anthropic/claude-haiku-4-5","max_tokens":9,"messages":[{"role":"user","content":"I am {{{Mail}}}."}]}}]}""";

        (int status, string answer, _) = await gateway.AskAsync("/v1/messages/batches", body);

        Assert.True(status == 400 && answer.Contains("ballast_unreadable", StringComparison.Ordinal), answer);
        Assert.DoesNotContain(Mail, gateway.Sent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Answer_WithAValueOfTheModelsOwn_IsRedactedWhereTheAppWantsIt(bool stream)
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();
        // The model works out a number that nobody told it; the address is the caller's own.
        string body = $$"""{"model":"openai/gpt-5-mini","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"I am {{Mail}}. What is FACTORS?"}]}""";

        (_, string passed, _) = await gateway.AskAsync("/v1/chat/completions", body.Replace("FACTORS", Factors, StringComparison.Ordinal));
        (_, string redacted, _) = await gateway.AskAsync("/v1/chat/completions", body.Replace("FACTORS", Factors, StringComparison.Ordinal), RedactingGateway.CarefulKey);

        Assert.Contains(Product, TextOf(passed), StringComparison.Ordinal);
        Assert.DoesNotContain(Product, TextOf(redacted), StringComparison.Ordinal);
        Assert.Contains($"{Factors} = CARD-", TextOf(redacted), StringComparison.Ordinal);
        Assert.Contains(await gateway.EntriesAsync(), static entry => entry.Losses.Contains("redacted:card=1"));
    }

    private static string TextOf(string answer) => string.Concat(Text().Matches(answer).Select(static match => match.Groups[1].Value));

    [Fact]
    public async Task Picture_WhereTheAppLetsItBy_GoesOnAndTheTextIsSearched()
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();
        const string body = """
            {"model":"openai/gpt-5-mini","messages":[{"role":"user","content":[{"type":"text","text":"Who is mara.olsen@example.org here?"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}]}
            """;

        (int refused, string why, _) = await gateway.AskAsync("/v1/chat/completions", body);
        (int status, string answer, _) = await gateway.AskAsync("/v1/chat/completions", body, RedactingGateway.LaxKey);

        Assert.Equal(400, refused);
        using JsonDocument error = JsonDocument.Parse(why);
        Assert.Equal("ballast_unreadable", error.RootElement.GetProperty("error").GetProperty("code").GetString());
        Assert.True(status == 200, answer);
        Assert.Contains("iVBORw0KGgoAAAANSUhEUg", gateway.Sent, StringComparison.Ordinal);
        Assert.DoesNotContain(Mail, gateway.Sent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task App_ThatDoesNotRedact_PassesItsBytesOn()
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();
        string body = $$"""{"model":"openai/gpt-5-mini",  "messages":[{"role":"user","content":"Reply with exactly '{{Mail}}'"}]}""";

        (int status, string answer, _) = await gateway.AskAsync("/v1/chat/completions", body, RedactingGateway.PlainKey);

        Assert.True(status == 200, answer);
        Assert.Contains(Mail, gateway.Sent, StringComparison.Ordinal);
        Assert.Contains(",  \"messages\"", gateway.Sent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_OfARequestThatWasRedacted_NameNoValue()
    {
        await using RedactingGateway gateway = await RedactingGateway.StartAsync();
        string body = $$"""{"model":"anthropic/claude-haiku-4-5","max_tokens":"{{Mail}}","messages":[{"role":"user","content":"{{Mail}}"}]}""";

        (int status, string answer, _) = await gateway.AskAsync("/v1/messages", body);

        Assert.Equal(400, status);
        Assert.DoesNotContain(Mail, answer, StringComparison.Ordinal);
        Assert.All(await gateway.KeptAsync(), kept => Assert.DoesNotContain(Mail, kept.Text, StringComparison.Ordinal));
    }

    [GeneratedRegex("""
        "(?:text|content|delta)":\s?"((?:[^"\\]|\\.)*)"
        """)]
    private static partial Regex Text();
}
