using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ballast.Configuration;

/// <summary>Certificates that a provider's server may lead back to, beside those that the machine trusts. Equal where the certificates are.</summary>
public sealed class CertificateAuthority : IEquatable<CertificateAuthority>
{
    private readonly X509Certificate2[] _certificates;

    /// <param name="certificates">At least one.</param>
    public CertificateAuthority(IEnumerable<X509Certificate2> certificates)
    {
        _certificates = [.. certificates];
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (X509Certificate2 certificate in _certificates)
        {
            hash.AppendData(certificate.RawDataMemory.Span);
        }

        Fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public IReadOnlyList<X509Certificate2> Certificates => _certificates;

    /// <summary>SHA-256 over all certificates, in hexadecimal digits.</summary>
    public string Fingerprint { get; }

    public bool Equals(CertificateAuthority? other) => other is not null && other.Fingerprint == Fingerprint;

    public override bool Equals(object? obj) => Equals(obj as CertificateAuthority);

    public override int GetHashCode() => Fingerprint.GetHashCode(StringComparison.Ordinal);
}
