namespace Ballast.Configuration;

/// <summary>Judges a provider's <c>entra:</c>: exactly one way to prove who asks, and all that this way needs.</summary>
internal static class EntraValidator
{
    private const string Ways = "client_secret: ${NAME}, token_file: path or managed_identity: true";

    public static bool IsTenant(string text) => text.Length is > 0 and <= 128 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.');

    public static bool IsClient(string text) => text.Length is > 0 and <= 128 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-');

    /// <summary>An application asks for all that it was granted at one resource.</summary>
    public static bool IsScope(string text) =>
        text.Length <= 512 && text.EndsWith("/.default", StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out _)
        && text.All(static c => c is > ' ' and < '\u007f');

    public static void Validate(ProviderOptions provider, string providerPath, Judge judge)
    {
        string path = SourceMap.Join(providerPath, "entra");
        if (provider.Kind is not null && !ProviderKindName.IsAzure(provider.Kind))
        {
            judge.Error(path, "'entra' is for kinds azure-openai and azure-foundry only", "remove it");
            return;
        }

        if (provider.ApiKey is not null || judge.HasAny(providerPath, "api_key", "api_key_env", "api_key_file"))
        {
            judge.Error(path, $"provider '{provider.Name}' has both an API key and 'entra'", "exactly one of api_key, entra");
        }

        EntraOptions entra = provider.Entra!;
        bool hasSecret = entra.ClientSecret is not null || judge.HasAny(path, "client_secret", "client_secret_env", "client_secret_file");
        bool hasFile = entra.TokenFile is not null || judge.HasAny(path, "token_file");
        ValidateWays(entra, path, hasSecret, hasFile, judge);
        if (hasSecret || hasFile)
        {
            judge.Require(entra.TenantId, path, "tenant_id", "'tenant_id' is missing: which tenant gives out the token?", "the tenant's id or one of its domains");
            judge.Require(entra.ClientId, path, "client_id", "'client_id' is missing: which application asks?", "the application's id");
        }

        ValidateAuthority(provider, entra, path, judge);
    }

    private static void ValidateWays(EntraOptions entra, string path, bool hasSecret, bool hasFile, Judge judge)
    {
        switch ((hasSecret, hasFile, entra.ManagedIdentity))
        {
            case (false, false, false):
                judge.Error(path, "'entra' does not say how this gateway proves who it is", $"one of {Ways}");
                break;
            case (true, true, _):
                judge.Error(SourceMap.Join(path, "token_file"), "'client_secret' and 'token_file' both say who asks", $"keep one of {Ways}");
                break;
            case (_, _, true) when hasSecret || hasFile:
                judge.Error(SourceMap.Join(path, "managed_identity"), "a managed identity needs neither secret nor token file", $"keep one of {Ways}");
                break;
            case (false, false, true) when entra.TenantId is not null:
                judge.Error(SourceMap.Join(path, "tenant_id"), "a managed identity has its tenant already", "remove it");
                break;
            case (false, false, true) when entra.Authority is not null:
                judge.Error(SourceMap.Join(path, "authority"), "a managed identity is asked for at this machine, at no authority", "remove it");
                break;
        }
    }

    private static void ValidateAuthority(ProviderOptions provider, EntraOptions entra, string path, Judge judge)
    {
        if (entra.Authority is not { } authority)
        {
            return;
        }

        string place = SourceMap.Join(path, "authority");
        if (authority.AbsolutePath != "/")
        {
            judge.Error(place, "an authority has no path: the tenant is added to it", "such as https://login.microsoftonline.us");
        }

        if (provider.AllowPrivateAddresses)
        {
            return;
        }

        if (authority.Scheme != Uri.UriSchemeHttps)
        {
            judge.Error(place, "plain http would send the secret in the clear", "https://…, or allow_private_addresses: true for own machines");
        }
        else if (authority.IsLoopback)
        {
            judge.Error(place, "this address lies on this machine and would be refused", "allow_private_addresses: true");
        }
    }
}
