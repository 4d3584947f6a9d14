namespace Ballast.Sandbox;

/// <summary>What a sandbox with TLS shows its clients: a good certificate, or one that must be refused.</summary>
public enum SandboxCertificate
{
    Sound,

    /// <summary>Of the right authority, for the right host, ended yesterday.</summary>
    Expired,

    /// <summary>Of the right authority, for <c>elsewhere.invalid</c>.</summary>
    WrongHost,
}
