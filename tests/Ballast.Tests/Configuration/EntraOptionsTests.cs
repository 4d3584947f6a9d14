using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class EntraOptionsTests
{
    private const string Provider = """
        providers:
          azure:
            kind: azure-openai
            platform: azure
            region: swedencentral
            base_url: https://my-resource.openai.azure.com
            data: { geo: eu, retention_days: 30, training: false }
            any_model: true
            vendor: openai
            ENTRA
        keys:
          demo: { key_env: OTHER_KEY, allow: { geo: [eu] } }
        """;

    private const string Ids = "tenant_id: contoso.example, client_id: 66666666-7777-8888-9999-000000000000";

    private static LoadResult Load(string entra) => ValidConfiguration.Load(Provider.Replace("ENTRA", entra, StringComparison.Ordinal));

    [Theory]
    [InlineData("entra: { IDS, client_secret: '${ENTRA_SECRET}' }")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET }")]
    [InlineData("entra: { IDS, token_file: some-token }")]
    [InlineData("entra: { managed_identity: true }")]
    [InlineData("entra: { managed_identity: true, client_id: 66666666-7777-8888-9999-000000000000 }")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, authority: 'https://login.chinacloudapi.cn' }")]
    public void Load_OneWayToProveWhoAsks_IsGood(string entra)
    {
        LoadResult result = Load(entra.Replace("IDS", Ids, StringComparison.Ordinal));

        Assert.True(result.IsValid, ValidConfiguration.Print(result));
        Assert.NotNull(result.Options!.Providers[0].Entra);
    }

    [Theory]
    [InlineData("", "provider 'azure' has no API key", "exactly one of api_key, entra")]
    [InlineData("entra: {}", "does not say how this gateway proves who it is", "managed_identity: true")]
    [InlineData("entra: { managed_identity: false }", "does not say how this gateway proves who it is", "")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET }\n    api_key: ${AZURE_KEY}", "has both an API key and 'entra'", "exactly one of api_key, entra")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, token_file: x }", "'client_secret' and 'token_file' both say who asks", "keep one")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, managed_identity: true }", "needs neither secret nor token file", "")]
    [InlineData("entra: { tenant_id: x, managed_identity: true }", "has its tenant already", "remove it")]
    [InlineData("entra: { managed_identity: true, authority: 'https://x' }", "asked for at this machine", "remove it")]
    [InlineData("entra: { client_id: x, client_secret_env: ENTRA_SECRET }", "'tenant_id' is missing", "")]
    [InlineData("entra: { tenant_id: x, token_file: x }", "'client_id' is missing", "")]
    [InlineData("entra: { IDS, client_secret: entra-very-secret-0123456789 }", "'client_secret' must not hold the key itself", "client_secret_file")]
    [InlineData("entra: { IDS, client_secret_env: NOT_SET }", "environment variable NOT_SET is not set", "")]
    [InlineData("entra: { tenant_id: 'a/b', client_id: x, client_secret_env: ENTRA_SECRET }", "'tenant_id' cannot be what is written here", "")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, scope: all }", "'scope' cannot be what is written here", "/.default")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, authority: 'http://x' }", "plain http would send the secret in the clear", "https")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, authority: 'https://127.0.0.1' }", "lies on this machine", "allow_private_addresses")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, authority: 'https://x/tenant' }", "an authority has no path", "")]
    [InlineData("entra: { IDS, client_secret_env: ENTRA_SECRET, tenant: x }", "unknown key 'tenant' in 'entra'", "")]
    public void Load_AnythingElse_IsOneFaultWithPlaceAndHint(string entra, string message, string hint)
    {
        LoadResult result = Load(entra.Replace("IDS", Ids, StringComparison.Ordinal));

        ConfigurationFault fault = Assert.Single(result.Faults, static fault => !fault.IsWarning);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.Contains(hint, fault.Hint, StringComparison.Ordinal);
        Assert.True(fault is { Line: > 0, Column: > 0 });
        Assert.DoesNotContain(ValidConfiguration.EntraSecret, ValidConfiguration.Print(result), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_EntraOfAnotherKind_IsAFault()
    {
        string yaml = ValidConfiguration.With("    api: runtime\n", "    entra: { managed_identity: true }\n");

        Assert.Contains(ValidConfiguration.Load(yaml).Faults, static fault => fault.Message == "'entra' is for kinds azure-openai and azure-foundry only");
    }

    [Fact]
    public void Load_AuthorityOfOwnMachines_MayBePlain() =>
        Assert.True(Load($"entra: {{ {Ids}, client_secret_env: ENTRA_SECRET, authority: 'http://127.0.0.1:9106' }}\n    allow_private_addresses: true").IsValid);

    [Theory]
    [InlineData("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", true)]
    [InlineData("AZURE_FEDERATED_TOKEN_FILE", "", false)]
    public void Environment_WithoutAKey_TakesEntra(string first, string second, bool isSecret)
    {
        string? Variables(string name) => name switch
        {
            "AZURE_OPENAI_ENDPOINT" => "https://x.openai.azure.com",
            "AZURE_TENANT_ID" or "AZURE_CLIENT_ID" => "some-id",
            _ when name == first || name == second => "some-value-of-it",
            _ => null,
        };

        Assert.True(EnvironmentOptions.IsWanted(Variables));
        ProviderOptions provider = Assert.Single(EnvironmentOptions.Load(Variables).Options!.Providers);

        Assert.Null(provider.ApiKey);
        Assert.Equal((isSecret, !isSecret), (provider.Entra!.ClientSecret is not null, provider.Entra.TokenFile is not null));
    }

    [Theory]
    [InlineData("AZURE_TENANT_ID", null)]
    [InlineData("AZURE_CLIENT_ID", "a/b")]
    [InlineData("AZURE_CLIENT_SECRET", "with a space")]
    [InlineData("AZURE_AUTHORITY_HOST", "login.example")]
    public void Environment_ThatDoesNotSuffice_LeavesAzureOutWithAWarning(string name, string? value)
    {
        string? Variables(string wanted) => wanted == name ? value : wanted switch
        {
            "OPENAI_API_KEY" => "sk-1",
            "AZURE_OPENAI_ENDPOINT" => "https://x.openai.azure.com",
            "AZURE_TENANT_ID" or "AZURE_CLIENT_ID" or "AZURE_CLIENT_SECRET" => "some-id",
            _ => null,
        };

        LoadResult result = EnvironmentOptions.Load(Variables);

        Assert.Equal("openai", Assert.Single(result.Options!.Providers).Name);
        Assert.Contains(name, Assert.Single(result.Faults).Message, StringComparison.Ordinal);
    }
}
