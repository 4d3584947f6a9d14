namespace Ballast.Configuration;

/// <summary>Entra ID from the variables that Azure's own SDKs and the workload identity webhook set, for a resource whose key is not set.</summary>
internal static class EntraEnvironment
{
    public const string Tenant = "AZURE_TENANT_ID";
    public const string Client = "AZURE_CLIENT_ID";
    public const string ClientSecret = "AZURE_CLIENT_SECRET";
    public const string TokenFile = "AZURE_FEDERATED_TOKEN_FILE";
    public const string Authority = "AZURE_AUTHORITY_HOST";
    public const string Endpoint = "AZURE_OPENAI_ENDPOINT";

    /// <summary>An endpoint is named, and something to prove who asks: the rest is judged by <see cref="Read"/>.</summary>
    public static bool IsWanted(Func<string, string?> environment) =>
        Has(environment, Endpoint) && (Has(environment, ClientSecret) || Has(environment, TokenFile));

    /// <summary>Null, with a warning, where the variables do not suffice. A secret goes before a token file, as with Azure's own SDKs.</summary>
    public static EntraOptions? Read(Func<string, string?> environment, FaultList faults)
    {
        string? secret = environment(ClientSecret) is { Length: > 0 } written ? written : null;
        string? authority = environment(Authority) is { Length: > 0 } host ? host : null;
        Uri? address = null;
        (string Name, bool IsGood, string Hint)[] rules =
        [
            (Tenant, environment(Tenant) is { } tenant && EntraValidator.IsTenant(tenant), "the tenant's id or one of its domains"),
            (Client, environment(Client) is { } client && EntraValidator.IsClient(client), "the application's id"),
            (ClientSecret, secret is null || SecretReader.IsSound(secret), "look for line ends and spaces"),
            (Authority, authority is null || (Uri.TryCreate(authority, UriKind.Absolute, out address) && address.AbsolutePath == "/"
                && address.Scheme is "http" or "https" && address.UserInfo.Length == 0), "such as https://login.microsoftonline.us"),
        ];
        foreach ((string name, bool isGood, string hint) in rules)
        {
            if (!isGood)
            {
                faults.Warning($"${name}", 0, 0, $"{Endpoint} is set without a key, but {name} is not set or not usable: the provider is left out", hint);
                return null;
            }
        }

        return new EntraOptions
        {
            TenantId = environment(Tenant),
            ClientId = environment(Client),
            ClientSecret = secret is null ? null : new SecretOptions(secret, $"environment variable {ClientSecret}"),
            TokenFile = secret is null ? environment(TokenFile) : null,
            Authority = address,
        };
    }

    private static bool Has(Func<string, string?> environment, string name) => !string.IsNullOrEmpty(environment(name));
}
