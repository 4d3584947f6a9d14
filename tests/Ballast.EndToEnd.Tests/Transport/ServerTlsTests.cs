using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Ballast.Configuration;
using Ballast.EndToEnd.Tests.Faults;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Sdk;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>Both ports with TLS, asked by real clients in both versions of HTTP; certificates are renewed while streams run.</summary>
public sealed class ServerTlsTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ServerCertificates _files = new();
    private readonly LogLines _log = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData(false, "1.1")]
    [InlineData(false, "2.0")]
    [InlineData(true, "2.0")]
    public async Task Stream_OverTls_IsAnsweredInTheClientsVersion(bool isPkcs12, string version)
    {
        using X509Certificate2 certificate = ServerCertificates.Make("first");
        _files.WritePem(certificate);
        _files.WritePkcs12(certificate);
        await using FaultGateway gateway = await StartAsync(isPkcs12
            ? new TlsOptions { CertificatePath = _files.Pkcs12Path, Password = new SecretOptions(ServerCertificates.Password, "a test") }
            : new TlsOptions { CertificatePath = _files.CertificatePath, KeyPath = _files.KeyPath });
        Assert.Equal(("https", "https"), (gateway.Server.Address.Scheme, gateway.Server.AdminAddress.Scheme));

        using HttpClient client = NewClient(certificate);
        using HttpRequestMessage request = NewRequest(gateway, version);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.Equal((HttpStatusCode.OK, version), (response.StatusCode, response.Version.ToString()));
        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);

        Assert.Equal("ok\n", await client.GetStringAsync(new Uri(gateway.Server.AdminAddress, "/health"), Cancellation));
        string metrics = await client.GetStringAsync(new Uri(gateway.Server.AdminAddress, "/metrics"), Cancellation);
        Assert.Contains($"ballast_tls_certificate_end_seconds {new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds()}\n", metrics, StringComparison.Ordinal);
        AssertNoSecret();
    }

    [Fact]
    public async Task Certificate_IsRenewedUnderAStream_TheStreamEndsAndTheNextConnectionSeesIt()
    {
        using X509Certificate2 first = ServerCertificates.Make("first");
        using X509Certificate2 second = ServerCertificates.Make("second");
        _files.WritePem(first);
        await using FaultGateway gateway = await StartAsync(new TlsOptions { CertificatePath = _files.CertificatePath, KeyPath = _files.KeyPath }, latencyScale: 1);
        using HttpClient client = NewClient(first);
        using HttpRequestMessage request = NewRequest(gateway, "2.0");
        using HttpResponseMessage running = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);

        // Half of the pair: it fits no key, and the last good one stays.
        _files.WriteCertificate(second);
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Server.Tls!.Failures == 1), Patience), "the half pair was not looked at");
        Assert.Equal("CN=first", await SubjectAsync(gateway.Server.Address));
        Assert.Contains(_log.All, line => line.Contains("Warning: The certificate's files have changed and cannot be used", StringComparison.Ordinal));

        _files.WriteKey(second);
        Assert.True(await GatewayHost.UntilAsync(async () => await SubjectAsync(gateway.Server.Address) == "CN=second", Patience), "the whole pair is not used");
        Assert.Equal("CN=second", await SubjectAsync(gateway.Server.AdminAddress));
        Assert.EndsWith("data: [DONE]\n\n", await running.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);

        // The connection that stands goes on with the certificate that it began with.
        using HttpRequestMessage again = NewRequest(gateway, "2.0");
        using HttpResponseMessage answer = await client.SendAsync(again, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        AssertNoSecret();
    }

    [Theory]
    [InlineData("another's key")]
    [InlineData("no file")]
    [InlineData("no certificate")]
    [InlineData("wrong password")]
    public async Task Start_CertificateCannotBeUsed_SaysWhichFileAndNothingOfIt(string fault)
    {
        using X509Certificate2 certificate = ServerCertificates.Make("first");
        using X509Certificate2 other = ServerCertificates.Make("other");
        _files.WritePem(certificate);
        _files.WritePkcs12(certificate);
        TlsOptions options = new() { CertificatePath = _files.CertificatePath, KeyPath = _files.KeyPath };
        switch (fault)
        {
            case "another's key":
                _files.WriteKey(other);
                break;
            case "no file":
                File.Delete(_files.KeyPath);
                break;
            case "no certificate":
                await File.WriteAllTextAsync(_files.CertificatePath, "nothing of the kind", Cancellation);
                break;
            default:
                options = new TlsOptions { CertificatePath = _files.Pkcs12Path, Password = new SecretOptions("another password", "a test") };
                break;
        }

        TlsException refused = await Assert.ThrowsAsync<TlsException>(() => StartAsync(options));

        Assert.Contains(fault == "no file" ? _files.KeyPath : options.CertificatePath, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("password\"", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("BEGIN", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, "Error: The certificate in use has expired")]
    [InlineData(3, "Warning: The certificate in use ends soon")]
    [InlineData(60, null)]
    public async Task Start_CertificateThatEnds_IsTold(int days, string? line)
    {
        using X509Certificate2 certificate = ServerCertificates.Make("first", TimeSpan.FromDays(days));
        _files.WritePem(certificate);
        await using FaultGateway gateway = await StartAsync(new TlsOptions { CertificatePath = _files.CertificatePath, KeyPath = _files.KeyPath });

        Assert.Equal(line is not null, _log.All.Any(one => one.StartsWith(line ?? "Warning: The certificate", StringComparison.Ordinal)));
    }

    /// <summary>Whoever shows no certificate of the authority gets no further than the handshake; who shows one is asked for his key all the same.</summary>
    [Theory]
    [InlineData("both", true, true)]
    [InlineData("admin", false, true)]
    [InlineData("listen", true, false)]
    public async Task ClientAuthority_IsNamed_OnlyItsClientsGetIn(string on, bool listen, bool admin)
    {
        using X509Certificate2 server = ServerCertificates.Make("first");
        using X509Certificate2 authority = ServerCertificates.Make("clients"), other = ServerCertificates.Make("others");
        _files.WritePem(server);
        await File.WriteAllTextAsync(_files.PathOf("clients.pem"), authority.ExportCertificatePem(), Cancellation);
        await using FaultGateway gateway = await StartAsync(new TlsOptions
        {
            CertificatePath = _files.CertificatePath, KeyPath = _files.KeyPath, ClientAuthorityPath = _files.PathOf("clients.pem"),
            IsClientAuthorityOnListen = on != "admin", IsClientAuthorityOnAdmin = on != "listen",
        });
        using X509Certificate2 good = ServerCertificates.MakeClient(authority), foreign = ServerCertificates.MakeClient(other);
        using X509Certificate2 expired = ServerCertificates.MakeClient(authority, TimeSpan.FromDays(-1)), servers = ServerCertificates.MakeClient(authority, purpose: "1.3.6.1.5.5.7.3.1");

        foreach ((Uri address, bool asks) in ((Uri, bool)[])[(new(gateway.Server.Address, "/v1/models"), listen), (new(gateway.Server.AdminAddress, "/health"), admin)])
        {
            foreach ((X509Certificate2? shown, bool isGood) in ((X509Certificate2?, bool)[])[(null, false), (good, true), (foreign, false), (expired, false), (servers, false), (other, false)])
            {
                bool gotIn = await GetsInAsync(server, shown, address);
                Assert.True(gotIn == (isGood || !asks), $"{address} with {shown?.Subject ?? "none"} of {shown?.Issuer}, until {shown?.NotAfter}: {gotIn}");
            }
        }

        // Another authority is named while it runs.
        await File.WriteAllTextAsync(_files.PathOf("clients.pem"), other.ExportCertificatePem(), Cancellation);
        Uri asked = listen ? new(gateway.Server.Address, "/v1/models") : new(gateway.Server.AdminAddress, "/health");
        Assert.True(await GatewayHost.UntilAsync(async () => await GetsInAsync(server, foreign, asked), Patience), "the new authority is not used");
        Assert.False(await GetsInAsync(server, good, asked));
    }

    private static async Task<bool> GetsInAsync(X509Certificate2 server, X509Certificate2? shown, Uri address)
    {
        using HttpClient client = NewClient(server, shown);
        try
        {
            using HttpResponseMessage response = await client.GetAsync(address, Cancellation);
            Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized, $"{response.StatusCode}"); // the key is asked for in any case
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    [Fact]
    public async Task AwsSdk_InHttp2OverTls_IsContent()
    {
        using X509Certificate2 certificate = ServerCertificates.Make("first");
        _files.WritePem(certificate);
        await using FaultGateway gateway = await StartAsync(new TlsOptions { CertificatePath = _files.CertificatePath, KeyPath = _files.KeyPath });
        SdkTarget target = new()
        {
            Name = "tls", Url = gateway.Server.Address, SlowUrl = gateway.Server.Address, Key = FaultSetup.Key, Model = "claude", Vendor = "anthropic", IsGateway = true, IsHttp2 = true,
            Cases = ["text", "stream", "tools"],
        };
        NodeRun node = new("bedrock.mjs", [target], static (_, _) => Task.FromResult<string?>(null)) { TrustedFile = _files.CertificatePath };

        foreach (string name in target.Cases)
        {
            await node.AssertPassedAsync("tls", name);
        }
    }

    private async Task<FaultGateway> StartAsync(TlsOptions tls, double latencyScale = 0) => await FaultGateway.StartAsync(new FaultSetup
    {
        Models = [("m", ["openai/m=gpt-5-mini"]), ("claude", ["converse/claude=eu.anthropic.claude-haiku-4-5-20251001-v1:0"])],
        LatencyScale = latencyScale,
        Server = setup => setup with { Listen = new Uri("https://127.0.0.1:0"), Admin = new Uri("https://127.0.0.1:0"), Tls = tls, LogTo = _log, LogLevel = Microsoft.Extensions.Logging.LogLevel.Information },
    });

    private static HttpRequestMessage NewRequest(FaultGateway gateway, string version)
    {
        HttpRequestMessage request = Caller.OpenAI.NewRequest("m", stream: true);
        request.RequestUri = new Uri(gateway.Server.Address, request.RequestUri!);
        request.Version = new Version(version);
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return request;
    }

    /// <summary>Trusts this certificate and no other.</summary>
    private static HttpClient NewClient(X509Certificate2 trusted, X509Certificate2? shown = null) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            LocalCertificateSelectionCallback = (_, _, _, _, _) => shown!,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0 && certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(trusted.RawData),
        },
    });

    private static async Task<string> SubjectAsync(Uri address)
    {
        using System.Net.Sockets.TcpClient tcp = new();
        await tcp.ConnectAsync(address.Host, address.Port, Cancellation);
        await using SslStream tls = new(tcp.GetStream(), false, static (_, shown, _, _) => shown is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, Cancellation);
        Assert.True(tls.SslProtocol is SslProtocols.Tls12 or SslProtocols.Tls13);
        return tls.RemoteCertificate!.Subject;
    }

    private void AssertNoSecret()
    {
        Assert.DoesNotContain(_log.All, line => line.Contains("BEGIN", StringComparison.Ordinal) || line.Contains(ServerCertificates.Password, StringComparison.Ordinal));
    }
}
