using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>Whom the gateway believes over TLS, and by which version of HTTP.</summary>
public sealed class TlsTests
{
    private const string ApiKey = "api_key: ${AZURE}";

    [Theory]
    [InlineData("false")]
    [InlineData("auto")]
    [InlineData("true")]
    public async Task Ask_OverTls_IsAnsweredByEitherVersionOfHttp(string http2)
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        await house.StartGatewayAsync($"{ApiKey}\nca: ca.pem\nhttp2: {http2}");

        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => house.AskWellAsync()));
    }

    [Theory]
    [InlineData(SandboxCertificate.Expired, "ca: ca.pem")]
    [InlineData(SandboxCertificate.WrongHost, "ca: ca.pem")]
    [InlineData(SandboxCertificate.Sound, "")]
    public async Task Ask_AServerThatProvesNothing_FailsWithoutSendingAnything(SandboxCertificate certificate, string ca)
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync(certificate);
        await house.StartGatewayAsync($"{ApiKey}\n{ca}");

        Assert.Equal("upstream_tls_failed", await house.AskForErrorAsync());
        Assert.Empty(house.Sandbox.Billing.Rows);
    }

    [Fact]
    public async Task Ask_AServerOfAnotherAuthority_FailsUntilAReloadFindsTheRightOneAndAgainAfterwards()
    {
        await using TransportHouse other = await TransportHouse.StartSandboxAsync();
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        File.Copy(other.CaPath, house.PathOf("provider-ca.pem"));
        string azure = $"{ApiKey}\nca: provider-ca.pem";
        await house.StartGatewayAsync(azure);
        Assert.Equal("upstream_tls_failed", await house.AskForErrorAsync());

        File.Copy(house.CaPath, house.PathOf("provider-ca.pem"), overwrite: true);
        house.Reload(azure);
        await house.AskWellAsync();

        // A standing connection proves nothing to a provider that no longer trusts its authority.
        File.Copy(other.CaPath, house.PathOf("provider-ca.pem"), overwrite: true);
        house.Reload(azure);
        Assert.Equal("upstream_tls_failed", await house.AskForErrorAsync());
    }

    [Fact]
    public async Task Ask_ATokenEndpointThatProvesNothing_SendsNoSecret()
    {
        await using TransportHouse impostor = await TransportHouse.StartSandboxAsync(SandboxCertificate.WrongHost);
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        string entra = $"entra: {{ tenant_id: {SandboxEntra.TenantId}, client_id: {SandboxEntra.ClientId}, client_secret: '${{SECRET}}', authority: '{impostor.Sandbox.Entra.Authority}' }}";
        await File.AppendAllTextAsync(house.CaPath, await File.ReadAllTextAsync(impostor.CaPath, TransportHouse.Cancellation), TransportHouse.Cancellation);
        await house.StartGatewayAsync($"ca: ca.pem\n{entra}");

        Assert.Equal("upstream_credentials_unavailable", await house.AskForErrorAsync());
        Assert.Equal(0, impostor.Sandbox.Entra.Calls);
        await house.AssertNoSecretAsync();
    }
}
