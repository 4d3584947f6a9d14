namespace Ballast.Configuration;

/// <summary>How a provider gets tokens of Entra ID instead of an API key, as written under <c>entra:</c>. One of secret, token file and managed identity.</summary>
public sealed record EntraOptions
{
    /// <summary>What Azure OpenAI's tokens are asked for, unless <see cref="Scope"/> says otherwise.</summary>
    public const string DefaultScope = "https://cognitiveservices.azure.com/.default";

    /// <summary>Entra ID's own address, unless <see cref="Authority"/> says otherwise.</summary>
    public static Uri DefaultAuthority { get; } = new("https://login.microsoftonline.com");

    /// <summary>A tenant's id or one of its domains.</summary>
    public string? TenantId { get; init; }

    /// <summary>The application's id; with a managed identity the id of a user-assigned one, or null.</summary>
    public string? ClientId { get; init; }
    public SecretOptions? ClientSecret { get; init; }

    /// <summary>Workload identity federation: a file that another party keeps fresh, read anew for every token.</summary>
    public string? TokenFile { get; init; }

    /// <summary>The machine's own identity, asked for at the platform's local endpoint.</summary>
    public bool ManagedIdentity { get; init; }

    /// <summary>Where a sovereign cloud gives out its tokens; null means <see cref="DefaultAuthority"/>.</summary>
    public Uri? Authority { get; init; }
    public string? Scope { get; init; }
}
