using System.Text;
using System.Text.Json.Nodes;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>
/// What OpenAI has encrypted is bound to an account. A caller that keeps its conversation itself (Codex) sends it wherever the route leads: when the issuer is away, the
/// conversation must go on at another account.
/// </summary>
[Collection("Faults")]
public sealed class ReasoningAccountTests
{
    private const string Question = """{"role":"user","content":"What is 17 times 23?"}""";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EncryptedReasoning_IssuerIsAway_GoesOnElsewhereWithoutIt(bool stream)
    {
        await using FaultGateway gateway = await StartAsync("openai/m=gpt-5-mini", "azure/m=gpt-5-mini");
        JsonArray output = await FirstAsync(gateway);
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error503 });

        using HttpResponseMessage second = await AskAsync(gateway, "m", output, stream);

        string body = await second.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(second.IsSuccessStatusCode, body);
        Assert.Contains(stream ? "response.completed" : "\"completed\"", body, StringComparison.Ordinal);
        Assert.Equal(("azure/m", "3"), (Header(second, "x-ballast-deployment"), Header(second, "x-ballast-attempts")));
        Assert.Contains("/input/1", Header(second, "x-ballast-loss"), StringComparison.Ordinal);
        await gateway.ReconcileAsync();
    }

    /// <summary>Where there is one account only, what it cannot read was changed on its way, and that is told.</summary>
    [Fact]
    public async Task EncryptedReasoning_OneAccount_IsRefused()
    {
        await using FaultGateway gateway = await StartAsync("openai/m=gpt-5-mini", "azure/n=gpt-5-mini");
        JsonArray output = await FirstAsync(gateway);

        using HttpResponseMessage second = await AskAsync(gateway, "azure/n", output, stream: false);

        Assert.Equal(400, (int)second.StatusCode);
        Assert.Contains("invalid_encrypted_content", await second.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static Task<FaultGateway> StartAsync(params string[] deployments) => FaultGateway.StartAsync(new FaultSetup { Models = [("m", deployments)] });

    private static async Task<JsonArray> FirstAsync(FaultGateway gateway)
    {
        using HttpResponseMessage first = await AskAsync(gateway, "openai/m", [], stream: false);
        string body = await first.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(first.IsSuccessStatusCode, body);
        JsonArray output = JsonNode.Parse(body)!["output"]!.AsArray();
        Assert.False(string.IsNullOrEmpty((string?)output[0]!["encrypted_content"]), body);
        return output;
    }

    private static async Task<HttpResponseMessage> AskAsync(FaultGateway gateway, string model, JsonArray before, bool stream)
    {
        string input = string.Join(',', [Question, .. before.Select(static item => item!.ToJsonString()), """{"role":"user","content":"And again?"}"""]);
        string body = $$"""{"model":"{{model}}","store":false,"stream":{{(stream ? "true" : "false")}},"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],"input":[{{input}}]}""";
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/responses") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Authorization", $"Bearer {FaultSetup.Key}");
        return await gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(',', values) : "";
}
