using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ballast.Sandbox.Tls;

/// <summary>A certificate authority that lives as long as its sandbox, and the one server certificate it issued. No key leaves the memory of this process.</summary>
internal sealed class TlsIdentity : IDisposable
{
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2 _authority;

    private TlsIdentity(X509Certificate2 authority, X509Certificate2 server)
    {
        _authority = authority;
        Server = server;
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Server { get; }

    public static TlsIdentity Create(SandboxCertificate kind, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest authorityRequest = new("CN=Ballast sandbox throw-away CA", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        authorityRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, false));
        X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-30), now.AddDays(30));

        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=Ballast sandbox", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        if (kind == SandboxCertificate.WrongHost)
        {
            names.AddDnsName("elsewhere.invalid");
        }
        else
        {
            names.AddDnsName("localhost");
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerUsage)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        DateTimeOffset end = kind == SandboxCertificate.Expired ? now.AddDays(-1) : now.AddDays(7);
        using X509Certificate2 issued = request.Create(authority, now.AddDays(-7), end, RandomNumberGenerator.GetBytes(16));
        using X509Certificate2 withKey = issued.CopyWithPrivateKey(key);

        // Through PKCS #12 once: not every platform's TLS takes a key that was never stored.
        X509Certificate2 server = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        return new TlsIdentity(authority, server);
    }

    /// <summary>For clients: the authority's certificate, without its key.</summary>
    public Task WriteAuthorityAsync(string path, CancellationToken cancellation) =>
        File.WriteAllTextAsync(path, _authority.ExportCertificatePem() + "\n", cancellation);

    public void Dispose()
    {
        _authority.Dispose();
        Server.Dispose();
    }
}
