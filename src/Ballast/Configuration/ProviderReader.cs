using Ballast.Protocols;

namespace Ballast.Configuration;

/// <summary>Reads <c>providers:</c> and the deployments within.</summary>
internal static class ProviderReader
{
    private const long QuotaMax = 1_000_000_000_000;

    public static List<ProviderOptions> Read(LoadContext context, SectionReader file)
    {
        List<ProviderOptions> providers = [];
        foreach ((string name, SectionReader section) in file.NamedSections("providers", "provider", ConfiguredName.IsWord, ConfiguredName.WordRule))
        {
            providers.Add(ReadProvider(context, name, section));
            section.End();
        }

        return providers;
    }

    private static ProviderOptions ReadProvider(LoadContext context, string name, SectionReader section)
    {
        string? kind = section.OneOf("kind", ProviderKindName.All);
        return new ProviderOptions
        {
            Name = name,
            Kind = kind,
            Platform = section.Word("platform"),
            Region = section.Word("region"),
            BaseUrl = section.Address("base_url"),
            ApiVersion = section.Word("api_version"),
            Api = section.OneOf("api", ["converse", "invoke", "mantle", "runtime"]),
            ApiKey = SecretReader.Read(context, section, "api_key", [], literal: null),
            Entra = EntraReader.Read(context, section),
            Aws = AwsReader.Read(context, section),
            Project = section.Word("project"),
            CredentialsFile = section.Text("credentials_file") is { Length: > 0 } file ? context.Locate(file) : null,
            MetadataHost = kind == ProviderKindName.Vertex && context.Environment("GCE_METADATA_HOST") is { Length: > 0 } host ? host : null,
            Ca = CertificateReader.Read(context, section),
            Http2 = section.OneOf("http2", ["true", "false", "auto"]),
            Data = ReadData(section.Section("data", "data")),
            Headers = ReadHeaders(context, section),
            AllowPrivateAddresses = section.Flag("allow_private_addresses") ?? false,
            AnyModel = section.Flag("any_model") ?? false,
            Quota = ReadQuota(section.Section("quota", "quota")),
            DiscountPercent = section.Number("discount_percent", 0, 100) ?? 0,
            Vendor = section.Word("vendor"),
            Protocols = ReadProtocols(section),
            Features = ReadFeatures(section),
            Betas = section.Scalars("betas")?.Select(static beta => beta.Value.Text).ToList(),
            Deployments = ReadDeployments(section),
        };
    }

    private static List<DeploymentOptions> ReadDeployments(SectionReader provider)
    {
        List<DeploymentOptions> deployments = [];
        foreach ((string name, SectionReader section) in
            provider.NamedSections("deployments", "deployment", ConfiguredName.IsReference, ConfiguredName.ReferenceRule))
        {
            deployments.Add(new DeploymentOptions
            {
                Name = name,
                Vendor = section.Word("vendor"),
                Model = section.Text("model"),
                Price = section.Reference("price"),
                MaxOutputTokens = section.Whole("max_output_tokens", 1, 10_000_000),
                Protocols = ReadProtocols(section),
                Features = ReadFeatures(section),
                Region = section.Word("region"),
                Data = ReadData(section.Section("data", "data")),
                Embedding = section.Flag("embedding") ?? false,
                Deprecated = section.Day("deprecated"),
                EndOfLife = section.Day("end_of_life"),
                Quota = ReadQuota(section.Section("quota", "quota")),
            });
            section.End();
        }

        return deployments;
    }

    private static DataOptions? ReadData(SectionReader? section)
    {
        if (section is null)
        {
            return null;
        }

        DataOptions options = new()
        {
            Geo = section.Word("geo"),
            RetentionDays = section.Whole("retention_days", 0, 36_500),
            Training = section.Flag("training"),
        };
        section.End();
        return options;
    }

    private static QuotaOptions? ReadQuota(SectionReader? section)
    {
        if (section is null)
        {
            return null;
        }

        QuotaOptions quota = new(
            (long?)section.Number("requests_per_minute", 1, QuotaMax), (long?)section.Number("tokens_per_minute", 1, QuotaMax),
            section.OneOf("enforce", ["report", "hard"]) == "hard");
        section.End();
        return quota;
    }

    private static List<KeyValuePair<string, string>> ReadHeaders(LoadContext context, SectionReader section)
    {
        List<KeyValuePair<string, string>> headers = [];
        foreach ((string name, string value, string path) in section.NamedTexts("headers"))
        {
            (int line, int column) = context.Source.At(path);
            if (HeaderRule.Fault(name, value) is { } message)
            {
                context.Faults.Error(path, line, column, message, HeaderRule.Hint);
            }
            else
            {
                headers.Add(new KeyValuePair<string, string>(name, value));
            }
        }

        return headers;
    }

    private static List<string> ReadProtocols(SectionReader section)
    {
        List<string> protocols = [];
        foreach ((YamlScalar scalar, string path) in section.Scalars("protocols") ?? [])
        {
            if (ProtocolList.Find(scalar.Text) is null)
            {
                string[] names = [.. ProtocolList.All.Select(static protocol => protocol.Name)];
                section.Fault(scalar, path, "unknown protocol", NearestName.Hint(scalar.Text, names, $"one of {string.Join(", ", names)}"));
            }
            else if (!protocols.Contains(scalar.Text))
            {
                protocols.Add(scalar.Text);
            }
        }

        return protocols;
    }

    private static List<string> ReadFeatures(SectionReader section)
    {
        List<string> features = [];
        foreach ((YamlScalar scalar, string path) in section.Scalars("features") ?? [])
        {
            if (FeatureName.IsKnown(scalar.Text))
            {
                features.Add(scalar.Text);
            }
            else
            {
                string hint = NearestName.Hint(scalar.Text.TrimStart('+', '-'), FeatureName.All, $"one of {string.Join(", ", FeatureName.All)}");
                section.Fault(scalar, path, "unknown feature", hint);
            }
        }

        return features;
    }
}
