namespace Ballast.Configuration;

/// <summary>Judges one provider and its deployments.</summary>
internal static class ProviderValidator
{
    public static void Validate(ProviderOptions provider, Judge judge)
    {
        string path = Judge.PathOf(provider);
        string name = provider.Name;
        judge.Require(provider.Kind, path, "kind", $"provider '{name}' does not say what kind it is", $"kind: {string.Join(" | ", ProviderKindName.All)}");
        judge.Require(
            provider.Platform, path, "platform", $"provider '{name}' does not say who operates it", "platform: openai | azure | aws | anthropic | local …");
        judge.Require(provider.Region, path, "region", $"provider '{name}' does not say where it is", "region: swedencentral | eu-central-1 | global | local …");
        ValidateAddress(provider, path, judge);
        ValidateKind(provider, path, judge);
        ValidateData(provider, path, judge);
        if (provider.Deployments.Count == 0 && !provider.AnyModel && !judge.HasAny(path, "deployments"))
        {
            judge.Error(SourceMap.Join(path, "deployments"), $"provider '{name}' has no deployments", "deployments: { model: { vendor: … } }, or any_model: true");
        }

        if (provider.AnyModel)
        {
            judge.Require(
                provider.Vendor, path, "vendor", $"provider '{name}' takes any model and does not say who makes them", "vendor: openai | … | by-name");
        }

        foreach (DeploymentOptions deployment in provider.Deployments)
        {
            ValidateDeployment(provider, deployment, judge);
        }
    }

    /// <summary>A hard quota must leave each gateway something to ask for.</summary>
    public static void ValidateQuotas(ProviderOptions provider, int nodes, Judge judge)
    {
        Check(provider.Quota, SourceMap.Join(Judge.PathOf(provider), "quota"));
        foreach (DeploymentOptions deployment in provider.Deployments)
        {
            Check(deployment.Quota, SourceMap.Join(Judge.PathOf(provider, deployment), "quota"));
        }

        void Check(QuotaOptions? quota, string path)
        {
            if (quota is { IsHard: true, RequestsPerMinute: null, TokensPerMinute: null })
            {
                judge.Error(path, "a hard quota without a figure holds nothing", "requests_per_minute: 600, tokens_per_minute: 400000, or both");
            }

            if (quota is { IsHard: true } && (quota.RequestsPerMinute < nodes || quota.TokensPerMinute < nodes))
            {
                judge.Error(path, $"divided among {nodes} gateways nothing is left of this quota", "fewer server.nodes, or enforce: report");
            }
        }
    }

    private static void ValidateAddress(ProviderOptions provider, string path, Judge judge)
    {
        string place = SourceMap.Join(path, "base_url");
        if (provider.BaseUrl is null)
        {
            if (provider.Kind is { } kind && ProviderKindName.DefaultBaseUrl(kind, "eu-central-1", provider.Api) is null)
            {
                judge.Require(null, path, "base_url", $"provider '{provider.Name}' has no address", "base_url: https://…");
            }
            else if (provider is { Kind: ProviderKindName.AwsBedrock, Region: { } region } && !IsAwsRegion(region))
            {
                judge.Error(SourceMap.Join(path, "region"), $"'{region}' is not a region of AWS, and the address follows from it", "such as eu-central-1");
            }

            return;
        }

        if (provider.AllowPrivateAddresses)
        {
            return;
        }

        if (provider.BaseUrl.Scheme == Uri.UriSchemeHttp)
        {
            judge.Error(place, "plain http would send key and prompts in the clear", "https://…, or allow_private_addresses: true for own machines");
        }
        else if (provider.BaseUrl.IsLoopback)
        {
            judge.Error(place, "this address lies on this machine and would be refused", "allow_private_addresses: true");
        }
    }

    /// <summary>Words and a number: <c>us-east-1</c>, <c>us-gov-west-1</c>.</summary>
    public static bool IsAwsRegion(string region)
    {
        string[] parts = region.Split('-');
        return parts.Length is 3 or 4 && parts[^1].Length is 1 or 2 && parts[^1].All(char.IsAsciiDigit)
            && parts[..^1].All(static part => part.Length > 1 && part.All(char.IsAsciiLetterLower));
    }

    private static void ValidateKind(ProviderOptions provider, string path, Judge judge)
    {
        if (provider.ApiVersion is not null && provider.Kind is not null && !ProviderKindName.IsAzure(provider.Kind))
        {
            judge.Error(SourceMap.Join(path, "api_version"), "'api_version' is for kinds azure-openai and azure-foundry only", "remove it");
        }

        if (provider.Api is not null && provider.Kind is not (null or ProviderKindName.AwsBedrock))
        {
            judge.Error(SourceMap.Join(path, "api"), "'api' is for kind aws-bedrock only", "remove it");
        }

        if (provider.Api is "mantle" or "runtime" && provider.BaseUrl is not null)
        {
            judge.Error(SourceMap.Join(path, "api"), "'api' and 'base_url' say the same thing twice", "keep one of the two");
        }

        if (provider.Http2 == "true" && provider.BaseUrl?.Scheme == Uri.UriSchemeHttp)
        {
            judge.Warning(SourceMap.Join(path, "http2"), "over plain http nothing is negotiated: the server must speak HTTP/2 from the first byte", "http2: auto");
        }

        if (provider.Ca is not null && provider.BaseUrl?.Scheme == Uri.UriSchemeHttp)
        {
            judge.Warning(SourceMap.Join(path, "ca"), "'ca' says whom to trust, but plain http proves nothing", "base_url: https://…");
        }

        if (provider.Kind is not (null or ProviderKindName.Vertex) && (provider.Project ?? provider.CredentialsFile) is not null)
        {
            judge.Error(SourceMap.Join(path, provider.Project is null ? "credentials_file" : "project"), "'project' and 'credentials_file' are for kind vertex only", "remove it");
        }

        ValidateCredential(provider, path, judge);
    }

    /// <summary>Both stand in the address.</summary>
    private static bool IsPlace(string text) => text.Length is > 0 and <= 128 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ':');

    private static void ValidateVertex(ProviderOptions provider, string path, Judge judge)
    {
        bool hasKey = provider.ApiKey is not null || judge.HasAny(path, "api_key", "api_key_env", "api_key_file");
        if (provider.Project is null && !hasKey)
        {
            judge.Require(null, path, "project", $"provider '{provider.Name}' does not say in whose project it is asked", "project: my-project");
        }
        else if (provider.Project is { } project && !IsPlace(project))
        {
            judge.Error(SourceMap.Join(path, "project"), "'project' cannot be what is written here", "a project's id or number");
        }

        if (provider.Region is { } region && !IsPlace(region))
        {
            judge.Error(SourceMap.Join(path, "region"), $"'{region}' is not a location of Google Cloud", "such as global or europe-west4");
        }

        if (!hasKey && provider is { CredentialsFile: null, MetadataHost: { } host } && (!IsPlace(host) || !Uri.TryCreate($"http://{host}", UriKind.Absolute, out _)))
        {
            judge.Error(path, "the environment variable GCE_METADATA_HOST names no host", "a host, or host:port, without http://");
        }

        if (hasKey && provider.CredentialsFile is not null)
        {
            judge.Error(SourceMap.Join(path, "credentials_file"), $"provider '{provider.Name}' has both an API key and a credentials file", "keep one of the two");
        }
    }

    private static void ValidateCredential(ProviderOptions provider, string path, Judge judge)
    {
        if (provider.Entra is not null)
        {
            EntraValidator.Validate(provider, path, judge);
        }
        else if (provider.Kind == ProviderKindName.Vertex)
        {
            ValidateVertex(provider, path, judge);
        }
        else if (provider.Aws is not null)
        {
            AwsValidator.Validate(provider, path, judge);
        }
        else if (provider.Kind is not (null or ProviderKindName.OpenAICompatible or ProviderKindName.Ollama) && provider.ApiKey is null
            && !judge.HasAny(path, "api_key", "api_key_env", "api_key_file", "entra", "aws"))
        {
            string more = ProviderKindName.IsAzure(provider.Kind) ? "exactly one of api_key, entra: " : "";
            judge.Error(SourceMap.Join(path, "api_key"), $"provider '{provider.Name}' has no API key", $"{more}api_key: ${{NAME}}, api_key_env: NAME or api_key_file: path");
        }
    }

    private static void ValidateData(ProviderOptions provider, string path, Judge judge)
    {
        const string hint = "data: { geo: eu, retention_days: 30, training: false }";
        string place = SourceMap.Join(path, "data");
        judge.Require(provider.Data, path, "data", $"provider '{provider.Name}' does not say what it does with data", hint);
        if (provider.Data is { } data)
        {
            judge.Require(data.Geo, place, "geo", "'geo' is missing: where is data processed?", hint);
            judge.Require(data.RetentionDays, place, "retention_days", "'retention_days' is missing: how long is data kept?", hint);
            judge.Require(data.Training, place, "training", "'training' is missing: may data be used for training?", hint);
        }
    }

    private static void ValidateDeployment(ProviderOptions provider, DeploymentOptions deployment, Judge judge)
    {
        string path = Judge.PathOf(provider, deployment);
        string name = $"{provider.Name}/{deployment.Name}";
        if (provider.Vendor is null or VendorName.ByName)
        {
            judge.Require(deployment.Vendor, path, "vendor", $"deployment '{name}' does not say who makes the model", "vendor: openai | anthropic | meta …");
        }

        if (deployment.Vendor == VendorName.ByName)
        {
            judge.Error(SourceMap.Join(path, "vendor"), "a deployment names its vendor", "'by-name' is for any_model");
        }

        if (name.Length > ConfiguredName.LengthMax)
        {
            judge.Error(path, $"'{name}' is longer than {ConfiguredName.LengthMax} characters", "");
        }

        if (deployment.Model is { } model && (model.Length is 0 or > 512 || model.Any(static c => c is <= ' ' or > '~')))
        {
            judge.Error(SourceMap.Join(path, "model"), "the upstream's name of the model is empty, too long or holds spaces", "");
        }
    }
}
