using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace Ballast.Sandbox.Tests.Aws;

/// <summary>Where the simulated AWS gives out temporary keys. Signed requests are sent by AWS's own SDKs in the end-to-end tests.</summary>
public class AwsServerTests(TestSandbox sandbox) : IClassFixture<TestSandbox>
{
    private static readonly XNamespace s_sts = "https://sts.amazonaws.com/doc/2011-06-15/";

    [Fact]
    public async Task WebIdentity_GoodToken_GivesAKeyForTheConfiguredTime()
    {
        XElement answer = XElement.Parse(await StsAsync(HttpStatusCode.OK, Role(Token(SandboxAws.WebIdentityAudience, inSeconds: 600))));
        XElement key = answer.Descendants(s_sts + "Credentials").Single();
        Assert.StartsWith("ASIA", key.Element(s_sts + "AccessKeyId")!.Value, StringComparison.Ordinal);
        Assert.True(DateTimeOffset.Parse(key.Element(s_sts + "Expiration")!.Value, System.Globalization.CultureInfo.InvariantCulture) > TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task WebIdentity_WrongToken_IsRefused()
    {
        Assert.Contains("<Code>InvalidIdentityToken</Code>", await StsAsync(HttpStatusCode.BadRequest, Role("no token")), StringComparison.Ordinal);
        Assert.Contains("audience", await StsAsync(HttpStatusCode.BadRequest, Role(Token("others", inSeconds: 600))), StringComparison.Ordinal);
        Assert.Contains("<Code>ExpiredToken</Code>", await StsAsync(HttpStatusCode.BadRequest, Role(Token(SandboxAws.WebIdentityAudience, inSeconds: -10))), StringComparison.Ordinal);
        string otherRole = Role(Token(SandboxAws.WebIdentityAudience, inSeconds: 600)).Replace("ballast", "another", StringComparison.Ordinal);
        Assert.Contains("<Code>AccessDenied</Code>", await StsAsync(HttpStatusCode.Forbidden, otherRole), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AssumeRole_NotSigned_IsRefused() =>
        Assert.Contains("MissingAuthenticationToken", await StsAsync(HttpStatusCode.Forbidden, $"Action=AssumeRole&Version=2011-06-15&RoleArn={SandboxAws.RoleArn}&RoleSessionName=a"), StringComparison.Ordinal);

    [Fact]
    public async Task Container_WithItsToken_GivesAKey()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("/v2/credentials/a")).Status);
        Reply reply = await GetAsync("/v2/credentials/a", ("Authorization", SandboxAws.ContainerToken));
        Assert.True(reply.Json.GetProperty("Token").GetString()!.Length > 100);
    }

    [Fact]
    public async Task Metadata_OnlyWithASessionToken_GivesTheRolesKey()
    {
        const string Path = "/latest/meta-data/iam/security-credentials/";
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(Path)).Status);
        using HttpRequestMessage put = new(HttpMethod.Put, new Uri(sandbox.Host.Aws.Endpoint, "/latest/api/token"));
        put.Headers.Add("x-aws-ec2-metadata-token-ttl-seconds", "60");
        using HttpResponseMessage token = await sandbox.Http.SendAsync(put, TestContext.Current.CancellationToken);
        (string, string) header = ("x-aws-ec2-metadata-token", await token.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(SandboxAws.InstanceRole, (await GetAsync(Path, header)).Text);
        Assert.Equal("Success", (await GetAsync(Path + SandboxAws.InstanceRole, header)).Json.GetProperty("Code").GetString());
    }

    [Fact]
    public async Task Portal_SignedOn_GivesTheRolesKey()
    {
        const string Path = "/federation/credentials?role_name=ballast&account_id=123456789012";
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(Path)).Status);
        Reply reply = await GetAsync(Path, ("x-amz-sso_bearer_token", SandboxAws.SsoAccessToken));
        Assert.True(reply.Json.GetProperty("roleCredentials").GetProperty("expiration").GetInt64() > TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
    }

    private static string Role(string token) =>
        $"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=a&RoleArn={Uri.EscapeDataString(SandboxAws.RoleArn)}&WebIdentityToken={token}";

    private static string Token(string audience, int inSeconds)
    {
        string claims = JsonSerializer.Serialize(new Dictionary<string, object> { ["aud"] = audience, ["exp"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + inSeconds });
        return $"{Base64Url.EncodeToString("{}"u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2lnbmVk";
    }

    private async Task<string> StsAsync(HttpStatusCode status, string form)
    {
        using StringContent content = new(form, Encoding.UTF8, "application/x-www-form-urlencoded");
        using HttpResponseMessage response = await sandbox.Http.PostAsync(sandbox.Host.Aws.Endpoint, content, TestContext.Current.CancellationToken);
        Assert.Equal(status, response.StatusCode);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private async Task<Reply> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(sandbox.Host.Aws.Endpoint, path));
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = await sandbox.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return await Reply.ReadAsync(response);
    }
}
