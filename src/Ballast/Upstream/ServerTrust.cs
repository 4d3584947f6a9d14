using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ballast.Configuration;

namespace Ballast.Upstream;

/// <summary>
/// Which certificates an upstream may show: those that the machine trusts and those that lead back to the provider's own authority, for the right host, in their time,
/// over TLS 1.2 or later. Revocation is judged by what is known already: nothing is fetched while a request waits, and what is not known does not fail.
/// </summary>
public static class ServerTrust
{
    private const X509VerificationFlags UnknownRevocation = X509VerificationFlags.IgnoreEndRevocationUnknown
        | X509VerificationFlags.IgnoreCertificateAuthorityRevocationUnknown | X509VerificationFlags.IgnoreRootRevocationUnknown;

    /// <summary>Key usage of a certificate that serves TLS.</summary>
    private static readonly Oid s_serverUsage = new("1.3.6.1.5.5.7.3.1");

    public static SslClientAuthenticationOptions OptionsFor(CertificateAuthority? own)
    {
        SslClientAuthenticationOptions options = new()
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateChainPolicy = NewPolicy(),
        };
        if (own is not null)
        {
            options.RemoteCertificateValidationCallback = (_, shown, chain, errors) => IsTrusted(own, shown, chain, errors);
        }

        return options;
    }

    /// <summary>The host's name is never forgiven; a chain that the machine does not trust is built again on the provider's own authority alone.</summary>
    private static bool IsTrusted(CertificateAuthority own, X509Certificate? shown, X509Chain? sent, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || shown is not X509Certificate2 certificate)
        {
            return false;
        }

        using X509Chain chain = new() { ChainPolicy = NewPolicy() };
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(own.Certificates.ToArray());
        if (sent is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        }

        return chain.Build(certificate);
    }

    private static X509ChainPolicy NewPolicy()
    {
        X509ChainPolicy policy = new()
        {
            RevocationMode = X509RevocationMode.Offline,
            RevocationFlag = X509RevocationFlag.ExcludeRoot,
            VerificationFlags = UnknownRevocation,
            DisableCertificateDownloads = true,
        };
        policy.ApplicationPolicy.Add(s_serverUsage);
        return policy;
    }
}
