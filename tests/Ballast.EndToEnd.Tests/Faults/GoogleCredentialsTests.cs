using System.Buffers.Text;
using System.Text;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Every way to a token of Google Cloud, at endpoints that check what they are shown: signature, hour, audience, refresh token, the metadata server's header.</summary>
[Collection("Faults")]
public sealed class GoogleCredentialsTests
{
    private const string Project = $"\n    project: {SandboxGoogle.ProjectId}";

    public static TheoryData<string> Ways => ["service_account", "authorized_user", "federation", "impersonation", "metadata"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Token_ByEveryWay_IsFetchedOnceForManyRequests(string way)
    {
        await using FaultGateway gateway = await StartAsync((sandbox, folder) => Lines(way, sandbox, folder, TimeSpan.FromHours(1)));
        ClientAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => gateway.AskAsync(Caller.OpenAI, "m", stream: false)));
        Assert.All(answers, static answer => Assert.True(answer.IsComplete, answer.ToString()));

        // Another's token is exchanged first, and with what it gave the service account's is asked for.
        int questions = way == "impersonation" ? 2 : 1;
        Assert.Equal((questions, questions), (gateway.Sandbox.Google.Calls, gateway.Sandbox.Google.Issued));
        await gateway.ReconcileAsync();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Token_AtItsEnd_IsFetchedAnew(string way)
    {
        await using FaultGateway gateway = await StartAsync((sandbox, folder) => Lines(way, sandbox, folder, TimeSpan.FromHours(1)));
        gateway.Sandbox.Google.TokenLifetime = TimeSpan.FromSeconds(2);
        for (int i = 0; i < 2; i++)
        {
            ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "m", stream: false);
            Assert.True(answer.IsComplete, answer.ToString());
            await Task.Delay(TimeSpan.FromSeconds(2.1), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(way == "impersonation" ? 4 : 2, gateway.Sandbox.Google.Issued);
    }

    [Fact]
    public async Task ServiceAccount_WithAClockThatIsWrong_LearnsTheHourOnce()
    {
        await using FaultGateway gateway = await StartAsync(vertex: null);
        gateway.Sandbox.Google.ClockOffset = TimeSpan.FromHours(-3);
        gateway.Sandbox.Google.TokenLifetime = TimeSpan.FromSeconds(2);
        for (int i = 0; i < 3; i++)
        {
            ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "m", stream: false);
            Assert.True(answer.IsComplete, answer.ToString());
            await Task.Delay(TimeSpan.FromSeconds(2.1), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal((4, 3), (gateway.Sandbox.Google.Calls, gateway.Sandbox.Google.Issued));
    }

    [Fact]
    public async Task Impersonation_WithAClockThatIsWrong_CountsByTheEndpointsOwn()
    {
        await using FaultGateway gateway = await StartAsync((sandbox, folder) =>
        {
            sandbox.Google.ClockOffset = TimeSpan.FromHours(3);
            return Lines("impersonation", sandbox, folder, TimeSpan.FromHours(9));
        });
        gateway.Sandbox.Google.TokenLifetime = TimeSpan.FromSeconds(2);
        for (int i = 0; i < 2; i++)
        {
            Assert.True((await gateway.AskAsync(Caller.OpenAI, "m", stream: false)).IsComplete);
            await Task.Delay(TimeSpan.FromSeconds(2.1), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(4, gateway.Sandbox.Google.Issued);
    }

    [Fact]
    public async Task Refused_ByTheTokenEndpoint_IsAskedOnceAndSaysNoSecret()
    {
        await using FaultGateway gateway = await StartAsync((sandbox, folder) => Lines("federation", sandbox, folder, TimeSpan.FromHours(-1)));
        for (int i = 0; i < 3; i++)
        {
            ClientAnswer answer = await gateway.AskAsync(Caller.OpenAI, "m", stream: false);
            Assert.Contains(answer.ErrorCode, new[] { "upstream_credentials_unavailable", "ballast_all_unavailable" });
            Assert.DoesNotContain("sandbox", answer.Body, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal((1, 0), (gateway.Sandbox.Google.Calls, gateway.Sandbox.Google.Issued));
        Assert.Empty(gateway.Sandbox.Billing.Rows);
    }

    private static Task<FaultGateway> StartAsync(Func<SandboxHost, string, string>? vertex) => FaultGateway.StartAsync(new FaultSetup
    {
        Models = [("m", ["vertex/m=gemini-2.5-flash"])], Limits = ["breaker_failures: 1000"], Vertex = vertex,
    });

    private static string Lines(string way, SandboxHost sandbox, string folder, TimeSpan subjectLifetime)
    {
        if (way == "metadata")
        {
            return Project.TrimStart('\n', ' ');
        }

        string subject = Path.Combine(folder, "subject-token");
        long end = (TimeProvider.System.GetUtcNow() + subjectLifetime).ToUnixTimeSeconds();
        string claims = $$"""{"aud":"https:{{SandboxGoogle.FederationAudience}}","iss":"https://i","sub":"s","exp":{{end}}}""";
        File.WriteAllText(subject, $"{Base64Url.EncodeToString("""{"alg":"RS256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln");
        string file = Path.Combine(folder, "google.json");
        File.WriteAllText(file, way switch
        {
            "service_account" => sandbox.Google.ServiceAccountFile(),
            "authorized_user" => sandbox.Google.AuthorizedUserFile(),
            _ => sandbox.Google.FederationFile(subject, impersonates: way == "impersonation"),
        });
        return $"credentials_file: {file}{Project}";
    }
}
