using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>
/// AWS's sources of keys and its clock, at the built program: each source is told to it as AWS's own tools are told, and every request must carry a signature that the simulated
/// runtime verifies.
/// </summary>
public sealed class AwsTests : IAsyncLifetime
{
    private const string Key = "key-of-a-client-of-aws";
    private const string Model = "eu.anthropic.claude-haiku-4-5-20251001-v1:0";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ballast-aws-");
    private SandboxHost _sandbox = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Endpoint => _sandbox.Aws.Endpoint.GetLeftPart(UriPartial.Authority);

    public async ValueTask InitializeAsync() => _sandbox = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, Cancellation);

    public async ValueTask DisposeAsync()
    {
        await _sandbox.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Source_Environment_SignsWithItAsItIs()
    {
        await using BallastProcess program = await ServeAsync("aws: {}", ("AWS_ACCESS_KEY_ID", SandboxAws.AccessKeyId), ("AWS_SECRET_ACCESS_KEY", SandboxAws.SecretAccessKey));
        await AskWellAsync(program);
        Assert.Equal(0, _sandbox.Aws.Issued);
    }

    [Fact]
    public async Task Source_ProfileOfTheSharedFile_IsRead()
    {
        WriteCredentials("work");
        await using BallastProcess program = await ServeAsync("aws: { profile: work }");
        await AskWellAsync(program);
    }

    [Fact]
    public async Task Source_ProfileThatAssumesARoleWithAnother_DoesSo()
    {
        WriteCredentials("base");
        Write("config", $"[profile base]\nregion = eu-west-1\n[default]\nregion = eu-west-1\nrole_arn = {SandboxAws.RoleArn}\nsource_profile = base\n");
        await using BallastProcess program = await ServeAsync("aws: {}", ("AWS_ENDPOINT_URL_STS", Endpoint));
        await AskWellAsync(program);
        Assert.Equal(1, _sandbox.Aws.Issued);
    }

    [Fact]
    public async Task Source_WebIdentityOfTheEnvironment_IsExchanged()
    {
        Write("token", Token());
        await using BallastProcess program = await ServeAsync(
            "aws: {}", ("AWS_WEB_IDENTITY_TOKEN_FILE", PathOf("token")), ("AWS_ROLE_ARN", SandboxAws.RoleArn), ("AWS_ROLE_SESSION_NAME", "test"), ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL_STS", Endpoint));
        await AskWellAsync(program);
        Assert.Equal(1, _sandbox.Aws.Issued);
    }

    [Fact]
    public async Task Source_SingleSignOn_AsksThePortalWithThePersonsToken()
    {
        const string start = "https://sign-on.example/start";
        Write("config", $"[default]\nsso_session = work\nsso_account_id = 123456789012\nsso_role_name = ballast\nregion = eu-west-1\n"
            + $"[sso-session work]\nsso_region = eu-west-1\nsso_start_url = {start}\nsso_registration_scopes = sso:account:access\n");
        const string name = "e274eeff768c6396088ec6eb091f4bf4d47ab1e0"; // the SHA-1 of the session's name, as AWS's tools name the file
        string end = (TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(4)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        Write($".aws/sso/cache/{name}.json", $$"""{"startUrl":"{{start}}","region":"eu-west-1","accessToken":"{{SandboxAws.SsoAccessToken}}","expiresAt":"{{end}}"}""");
        await using BallastProcess program = await ServeAsync("aws: {}", ("AWS_ENDPOINT_URL_SSO", Endpoint));
        await AskWellAsync(program);
        Assert.Equal(1, _sandbox.Aws.Issued);
    }

    [Fact]
    public async Task Source_Container_IsAskedWithItsToken()
    {
        await using BallastProcess program = await ServeAsync(
            "aws: {}", ("AWS_CONTAINER_CREDENTIALS_FULL_URI", Endpoint + "/v2/credentials/test"), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", SandboxAws.ContainerToken));
        await AskWellAsync(program);
        Assert.Equal(1, _sandbox.Aws.Issued);
    }

    [Fact]
    public async Task Source_MachinesOwnRole_IsAskedAtTheMetadataService()
    {
        await using BallastProcess program = await ServeAsync("aws: {}", ("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", Endpoint));
        await AskWellAsync(program);
        Assert.True(_sandbox.Aws.Issued >= 1);
    }

    [Fact]
    public async Task Role_OfTheConfiguration_IsAssumedWithTheKeysBesideItAndRenewed()
    {
        _sandbox.Aws.KeyLifetime = TimeSpan.FromSeconds(4);
        await using BallastProcess program = await ServeAsync(
            $"aws: {{ role_arn: '{SandboxAws.RoleArn}', sts_url: '{Endpoint}', access_key_id_env: KEY_ID, secret_access_key_env: KEY_SECRET }}",
            ("KEY_ID", SandboxAws.AccessKeyId), ("KEY_SECRET", SandboxAws.SecretAccessKey));
        Uri gateway = await AddressOfAsync(program);
        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(6))
        {
            await AskWellAsync(gateway);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
        }

        Assert.InRange(_sandbox.Aws.Issued, 2, 5);
    }

    [Fact]
    public async Task Role_ByATokenFile_IsReadFromTheConfiguration()
    {
        Write("token", Token());
        await using BallastProcess program = await ServeAsync($"aws: {{ role_arn: '{SandboxAws.RoleArn}', sts_url: '{Endpoint}', web_identity_token_file: token }}");
        await AskWellAsync(program);
        Assert.Equal(1, _sandbox.Aws.Issued);
    }

    [Theory]
    [InlineData("aws: { profile: nobody }", "", "no such profile")]
    [InlineData("aws: { profile: work }", "[profile work]\ncredential_process = /bin/false\n", "credential_process is not run")]
    [InlineData("aws: {}", "", "no source has any")]
    public async Task Source_WithoutKeys_TellsTheLogWhyAndTheClientNothing(string aws, string config, string reason)
    {
        Write("config", config);
        await using BallastProcess program = await ServeAsync(aws);
        (HttpStatusCode status, string body) = await AskAsync(await AddressOfAsync(program));
        Assert.True(status == HttpStatusCode.BadGateway || status == HttpStatusCode.ServiceUnavailable, body);
        Assert.Contains("upstream_credentials_unavailable", body, StringComparison.Ordinal);
        await program.FindInErrorsAsync($"({reason})", "\n");
        Assert.DoesNotContain(_sandbox.Billing.Rows, static row => row.Platform == "bedrock");
    }

    [Theory]
    [InlineData(3600)]
    [InlineData(-3600)]
    public async Task Clock_ThatDiffers_IsLearnedOnceAndTheRequestSentAgain(int seconds)
    {
        _sandbox.Aws.ClockOffset = TimeSpan.FromSeconds(seconds);
        await using BallastProcess program = await ServeAsync("aws: {}", ("AWS_ACCESS_KEY_ID", SandboxAws.AccessKeyId), ("AWS_SECRET_ACCESS_KEY", SandboxAws.SecretAccessKey));
        Uri gateway = await AddressOfAsync(program);
        for (int i = 0; i < 3; i++)
        {
            await AskWellAsync(gateway);
        }

        Assert.Equal(1, _sandbox.Billing.Rows.Count(static row => row.Status == 403));
        Assert.Equal(3, _sandbox.Billing.Rows.Count(static row => row.Status == 200));
        await program.FindInErrorsAsync("The clock of provider bedrock differs", "\n");
    }

    [Fact]
    public async Task Secret_ThatIsWrong_IsNoQuestionOfTime()
    {
        await using BallastProcess program = await ServeAsync("aws: {}", ("AWS_ACCESS_KEY_ID", SandboxAws.AccessKeyId), ("AWS_SECRET_ACCESS_KEY", "another"));
        (HttpStatusCode status, _) = await AskAsync(await AddressOfAsync(program));
        Assert.NotEqual(HttpStatusCode.OK, status);
        Assert.Single(_sandbox.Billing.Rows);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string text)
    {
        string path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private void WriteCredentials(string profile) =>
        Write("credentials", $"[{profile}]\naws_access_key_id = {SandboxAws.AccessKeyId}\naws_secret_access_key = {SandboxAws.SecretAccessKey}\n");

    private static string Token()
    {
        string claims = $$"""{"aud":"{{SandboxAws.WebIdentityAudience}}","iss":"https://oidc.example","sub":"ballast","exp":{{TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 3600}}}""";
        return $"{Base64Url.EncodeToString("""{"alg":"RS256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2lnbmVk";
    }

    /// <summary>Starts the program with nothing of this machine's own AWS settings.</summary>
    private Task<BallastProcess> ServeAsync(string aws, params (string Name, string Value)[] variables)
    {
        Write("ballast.yaml", $"""
            providers:
              bedrock:
                kind: aws-bedrock
                platform: aws
                region: {SandboxAws.Region}
                api: converse
                base_url: {_sandbox.Platforms["bedrock"].Address.GetLeftPart(UriPartial.Authority)}
                allow_private_addresses: true
                {aws}
                data: {"{"} geo: eu, retention_days: 0, training: false {"}"}
                deployments:
                  claude: {"{"} vendor: anthropic, model: '{Model}' {"}"}
            models:
              chat: {"{"} deployments: [bedrock/claude] {"}"}
            keys:
              test: {"{"} key_env: CLIENT_KEY, app: test {"}"}
            limits: {"{"} drain_timeout: 0s {"}"}
            """);
        return Task.FromResult(BallastProcess.Start(
            _folder.FullName, ["serve", "--config", "ballast.yaml", "--listen", "http://127.0.0.1:0", "--admin", "http://127.0.0.1:0"],
            [
                ("CLIENT_KEY", Key), ("HOME", _folder.FullName), ("AWS_CONFIG_FILE", PathOf("config")), ("AWS_SHARED_CREDENTIALS_FILE", PathOf("credentials")),
                ("AWS_EC2_METADATA_DISABLED", "true"), .. variables,
            ]));
    }

    private static async Task<Uri> AddressOfAsync(BallastProcess program) => new("http://" + (await program.FindInErrorsAsync("http://", " ")).Trim());

    private static async Task AskWellAsync(BallastProcess program) => await AskWellAsync(await AddressOfAsync(program));

    private static async Task AskWellAsync(Uri gateway)
    {
        (HttpStatusCode status, string body) = await AskAsync(gateway);
        Assert.True(status == HttpStatusCode.OK && body.Contains("Ahoy", StringComparison.Ordinal), $"{status}: {body}");
    }

    private static async Task<(HttpStatusCode Status, string Body)> AskAsync(Uri gateway)
    {
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(gateway, "/v1/chat/completions"))
        {
            Content = new StringContent("""{"model":"chat","messages":[{"role":"user","content":"Reply with exactly \"Ahoy\""}]}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new("Bearer", Key);
        using HttpResponseMessage response = await http.SendAsync(request, Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }
}
