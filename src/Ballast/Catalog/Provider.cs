using Ballast.Configuration;
using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>How a provider's requests are addressed and signed. A new server of a known protocol is data, not a new kind.</summary>
public enum ProviderKind
{
    OpenAI,
    AzureOpenAI,
    AwsBedrock,
    Anthropic,
    Gemini,
    Vertex,
    OpenAICompatible,
    Ollama,
    Cohere,
}

/// <summary>Which version of HTTP a provider's requests go by.</summary>
public enum HttpUse
{
    /// <summary>HTTP/1.1: one request at a time on a connection.</summary>
    Http11,

    /// <summary>HTTP/2 where the server offers it within TLS, else HTTP/1.1.</summary>
    Negotiated,

    /// <summary>HTTP/2 or nothing.</summary>
    Http2,
}

/// <summary>One account at a platform: where requests go, how they are signed. Immutable; replaced whole on reload.</summary>
public sealed record Provider
{
    private Provider? _native;

    public required string Name { get; init; }
    public required ProviderKind Kind { get; init; }

    /// <summary>Who operates the endpoint: <c>openai</c>, <c>azure</c>, <c>aws</c>, <c>local</c> ….</summary>
    public required string Platform { get; init; }
    public required string Region { get; init; }

    /// <summary>
    /// Scheme, host, port and path prefix without a slash at the end; the kind adds its own paths. Never influenced by a caller. Only for compatible servers
    /// is <c>/v1</c> part of it, since not all have one; elsewhere the builder has removed it.
    /// </summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>Bedrock only: where its own protocols are spoken, at another host than the OpenAI-shaped ones; null where <see cref="BaseAddress"/> serves all.</summary>
    public Uri? NativeAddress { get; init; }

    /// <summary>The protocols written for its deployments, the preferred one first; empty takes what the kind has for the vendor.</summary>
    public IReadOnlyList<Protocol> Protocols { get; init; } = [];

    /// <summary>Null where the endpoint takes none (own machines).</summary>
    public Secret? ApiKey { get; init; }

    /// <summary>Azure only: tokens are fetched instead; null where <see cref="ApiKey"/> is sent.</summary>
    public EntraIdentity? Entra { get; init; }

    /// <summary>Bedrock only: requests are signed with these keys; null where others are fetched, or <see cref="ApiKey"/> is sent.</summary>
    public AwsKeys? Aws { get; init; }

    /// <summary>Bedrock only: where keys are fetched; null where <see cref="Aws"/> or <see cref="ApiKey"/> is used as it is.</summary>
    public AwsIdentity? AwsIdentity { get; init; }

    /// <summary>Vertex only: the project in whose name it is asked; null with an <see cref="ApiKey"/> alone.</summary>
    public string? Project { get; init; }

    /// <summary>Vertex only: Google's credentials file; null asks the machine's metadata server, where there is no <see cref="ApiKey"/>.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>Vertex only: host, and maybe port, of the metadata server; null means its usual address.</summary>
    public string? MetadataHost { get; init; }

    /// <summary>Trusted for this provider beside what the machine trusts.</summary>
    public CertificateAuthority? Ca { get; init; }
    public HttpUse Http { get; init; }

    /// <summary>Azure only: classic <c>/openai/deployments/…</c> paths with this version; null means <c>/openai/v1</c>.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Further headers sent with every request (for example an organisation id); values are checked for CR, LF and NUL.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>The endpoint may lie in private or loopback address space (own machines, the sandbox). Else such addresses are refused at connect.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>What all its deployments together may be asked for, as declared; null where nothing is.</summary>
    public QuotaOptions? Quota { get; init; }

    /// <summary>Of <see cref="Quota"/>, what is kept; null where it is only reported against.</summary>
    public HardQuota? HardQuota { get; init; }
    public required DataTerms Data { get; init; }

    /// <summary>Beta features that may be asked for here (<c>anthropic-beta</c>); null lets all pass.</summary>
    public IReadOnlySet<string>? Betas { get; init; }

    /// <summary>Every model name is accepted as <c>provider/name</c>; null where only written deployments are.</summary>
    public AnyModel? AnyModel { get; init; }

    /// <summary>This account as it is asked in these protocols.</summary>
    public Provider For(IReadOnlyList<Protocol> protocols)
    {
        bool isNative = NativeAddress is not null && protocols.Any(static protocol => protocol.Framing == StreamFraming.EventStream);
        return isNative ? _native ??= this with { BaseAddress = NativeAddress!, NativeAddress = null } : this;
    }
}
