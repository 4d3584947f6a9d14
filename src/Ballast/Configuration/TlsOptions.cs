namespace Ballast.Configuration;

/// <summary>The certificate that ports with an address of <c>https://</c> prove themselves with.</summary>
public sealed record TlsOptions
{
    /// <summary>PEM with the chain, or PKCS #12 (<c>.pfx</c>, <c>.p12</c>).</summary>
    public required string CertificatePath { get; init; }

    /// <summary>PEM of the private key; null where it stands in <see cref="CertificatePath"/>.</summary>
    public string? KeyPath { get; init; }

    /// <summary>Of the PKCS #12 file or of an encrypted PEM key; null where there is none.</summary>
    public SecretOptions? Password { get; init; }

    /// <summary>PEM of the authorities that clients' certificates must come from; null asks clients for none.</summary>
    public string? ClientAuthorityPath { get; init; }

    /// <summary>Whether the port for clients asks for one, and the administration port.</summary>
    public bool IsClientAuthorityOnListen { get; init; } = true;
    public bool IsClientAuthorityOnAdmin { get; init; } = true;
}
