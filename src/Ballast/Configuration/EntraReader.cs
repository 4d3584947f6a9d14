namespace Ballast.Configuration;

/// <summary>Reads a provider's <c>entra:</c>.</summary>
internal static class EntraReader
{
    public static EntraOptions? Read(LoadContext context, SectionReader provider)
    {
        if (provider.Section("entra", "entra") is not { } section)
        {
            return null;
        }

        EntraOptions options = new()
        {
            TenantId = Checked(section, "tenant_id", EntraValidator.IsTenant, "letters, digits, '-' and '.': the tenant's id or one of its domains"),
            ClientId = Checked(section, "client_id", EntraValidator.IsClient, "the application's id, such as 00000000-0000-0000-0000-000000000000"),
            ClientSecret = SecretReader.Read(context, section, "client_secret", [], literal: null),
            TokenFile = ReadTokenFile(context, section),
            ManagedIdentity = section.Flag("managed_identity") ?? false,
            Authority = section.Address("authority"),
            Scope = Checked(section, "scope", EntraValidator.IsScope, $"such as {EntraOptions.DefaultScope}"),
        };
        section.End();
        return options;
    }

    /// <summary>A message of a faulty id does not repeat it: a secret is easily pasted into the wrong line.</summary>
    private static string? Checked(SectionReader section, string key, Func<string, bool> isGood, string hint)
    {
        if (section.Text(key) is not { } text || isGood(text))
        {
            return section.Text(key);
        }

        section.Error(key, $"'{key}' cannot be what is written here", hint);
        return null;
    }

    private static string? ReadTokenFile(LoadContext context, SectionReader section)
    {
        if (section.Text("token_file") is not { Length: > 0 } written)
        {
            return null;
        }

        string path = context.Locate(written);
        if (!File.Exists(path))
        {
            section.Warning("token_file", "the file of 'token_file' does not exist yet", "paths are taken from beside the configuration file; it is read for every token");
        }

        return path;
    }
}
