namespace Ballast.Configuration;

/// <summary>One account at a platform, as written under <c>providers:</c>.</summary>
public sealed record ProviderOptions
{
    /// <summary>The name under which deployments are addressed: <c>name/model</c>.</summary>
    public required string Name { get; init; }

    /// <summary>One of <see cref="ProviderKindName.All"/>.</summary>
    public string? Kind { get; init; }
    public string? Platform { get; init; }
    public string? Region { get; init; }

    /// <summary>Null takes the kind's own address, where it has one.</summary>
    public Uri? BaseUrl { get; init; }

    /// <summary>Azure only: the version of the classic paths; null means <c>/openai/v1</c>.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>Bedrock only: <c>converse</c>, <c>invoke</c>, or <c>mantle</c> or <c>runtime</c>, which speak OpenAI's protocol; null lets the vendor decide.</summary>
    public string? Api { get; init; }
    public SecretOptions? ApiKey { get; init; }

    /// <summary>Azure only: tokens of Entra ID instead of <see cref="ApiKey"/>.</summary>
    public EntraOptions? Entra { get; init; }

    /// <summary>Bedrock only: requests are signed with an access key instead of <see cref="ApiKey"/>.</summary>
    public AwsOptions? Aws { get; init; }

    /// <summary>Vertex only: the project in whose name it is asked.</summary>
    public string? Project { get; init; }

    /// <summary>Vertex only: Google's credentials file; null asks the machine's metadata server.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>Vertex only: where the metadata server is, as <c>GCE_METADATA_HOST</c> names it to Google's own libraries; null means its usual address.</summary>
    public string? MetadataHost { get; init; }

    /// <summary>Trusted for this provider beside what the machine trusts; null where nothing was written or read.</summary>
    public CertificateAuthority? Ca { get; init; }

    /// <summary><c>true</c>, <c>false</c> or <c>auto</c>; null means <c>false</c>.</summary>
    public string? Http2 { get; init; }
    public DataOptions? Data { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>Agreed with whoever operates it, taken off the price book's prices.</summary>
    public decimal DiscountPercent { get; init; }

    /// <summary>What all its deployments together may ask for; null where that is not written.</summary>
    public QuotaOptions? Quota { get; init; }

    /// <summary>Every model name is accepted as <c>name/…</c> and sent on as it is.</summary>
    public bool AnyModel { get; init; }

    /// <summary>Who makes the models of <see cref="AnyModel"/>; <c>by-name</c> tells it from the model's name.</summary>
    public string? Vendor { get; init; }

    /// <summary>The protocols its deployments can be asked in, the preferred one first; empty takes what the kind has for the vendor.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [];

    /// <summary>Features added (<c>+images</c>) to or taken (<c>-images</c>) from the kind's defaults for all deployments.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];

    /// <summary>Beta features (<c>anthropic-beta</c>) that may be asked for here; null takes the kind's own list.</summary>
    public IReadOnlyList<string>? Betas { get; init; }
    public IReadOnlyList<DeploymentOptions> Deployments { get; init; } = [];
}
