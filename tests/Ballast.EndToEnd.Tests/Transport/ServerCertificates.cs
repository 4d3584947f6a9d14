using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>Certificates of a gateway of this machine, made on the spot and written as administrators have them.</summary>
internal sealed class ServerCertificates : IDisposable
{
    public const string Password = "canary of the certificate's password";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ballast-tls-");

    public string CertificatePath => PathOf("server.pem");
    public string KeyPath => PathOf("server.key");
    public string Pkcs12Path => PathOf("server.pfx");

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public static X509Certificate2 Make(string subject, TimeSpan? lasts = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=" + subject, key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-30), now + (lasts ?? TimeSpan.FromDays(365)));
    }

    /// <summary>A client's, given out by an authority that <see cref="Make"/> made.</summary>
    public static X509Certificate2 MakeClient(X509Certificate2 authority, TimeSpan? lasts = null, string purpose = "1.3.6.1.5.5.7.3.2")
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=a client", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 bare = request.Create(authority, now.AddDays(-20), now + (lasts ?? TimeSpan.FromDays(30)), RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 whole = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null); // clients take keys of no other form
    }

    public void WritePem(X509Certificate2 certificate)
    {
        WriteCertificate(certificate);
        WriteKey(certificate);
    }

    public void WriteCertificate(X509Certificate2 certificate) => File.WriteAllText(CertificatePath, certificate.ExportCertificatePem());

    public void WriteKey(X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
    }

    public void WritePkcs12(X509Certificate2 certificate) => File.WriteAllBytes(Pkcs12Path, certificate.Export(X509ContentType.Pkcs12, Password));

    public void Dispose() => _folder.Delete(recursive: true);
}
