namespace Ballast.Catalog;

/// <summary>Who a provider's tokens of Entra ID are issued to, and how that is proven: by secret, by a file that holds another party's token, or by the machine.</summary>
public sealed record EntraIdentity
{
    /// <summary>Null for a managed identity only.</summary>
    public string? TenantId { get; init; }

    /// <summary>Null for the machine's own identity only.</summary>
    public string? ClientId { get; init; }
    public Secret? ClientSecret { get; init; }

    /// <summary>Read anew for every token.</summary>
    public string? TokenFile { get; init; }
    public required Uri Authority { get; init; }
    public required string Scope { get; init; }

    /// <summary>Neither secret nor file: the platform that the gateway runs on knows it.</summary>
    public bool IsManaged => ClientSecret is null && TokenFile is null;
}
