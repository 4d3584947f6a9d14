namespace Ballast.Configuration;

/// <summary>Judges a provider's <c>aws:</c>: one source of keys, and for a role all that it needs.</summary>
internal static class AwsValidator
{
    private const int TextMax = 2048;

    public static void Validate(ProviderOptions provider, string providerPath, Judge judge)
    {
        string path = SourceMap.Join(providerPath, "aws");
        AwsOptions aws = provider.Aws!;
        if (provider.Kind is not (null or ProviderKindName.AwsBedrock))
        {
            judge.Error(path, "'aws' is for kind aws-bedrock only", "remove it");
            return;
        }

        if (provider.ApiKey is not null)
        {
            judge.Error(path, "'aws' and 'api_key' say the same thing twice", "keep one of the two");
            return;
        }

        if (provider.Region is { } region && !ProviderValidator.IsAwsRegion(region))
        {
            judge.Error(SourceMap.Join(providerPath, "region"), $"'{region}' is not a region of AWS, and requests are signed for it", "such as eu-central-1");
        }

        ValidateSource(aws, path, judge);
        ValidateAddress(provider, aws, path, judge);
    }

    private static void ValidateSource(AwsOptions aws, string path, Judge judge)
    {
        if (aws.Profile is not null && aws.AccessKeyId is not null)
        {
            judge.Error(SourceMap.Join(path, "profile"), "'profile' and an access key both say who asks", "keep one of the two");
        }

        if (aws.TokenFile is not null && (aws.Profile is not null || aws.AccessKeyId is not null))
        {
            judge.Error(SourceMap.Join(path, "web_identity_token_file"), "with another party's token neither key nor profile is needed", "remove them");
        }

        if (aws.RoleArn is { } role && (!role.StartsWith("arn:aws", StringComparison.Ordinal) || !role.Contains(":role/", StringComparison.Ordinal)))
        {
            judge.Error(SourceMap.Join(path, "role_arn"), "'role_arn' is not a role's ARN", "such as arn:aws:iam::123456789012:role/name");
        }

        if (aws.RoleArn is null)
        {
            foreach ((string key, bool isWritten) in (ReadOnlySpan<(string, bool)>)
                [("web_identity_token_file", aws.TokenFile is not null), ("external_id", aws.ExternalId is not null), ("role_session_name", aws.RoleSessionName is not null), ("sts_url", aws.StsUrl is not null)])
            {
                if (isWritten)
                {
                    judge.Error(SourceMap.Join(path, key), $"'{key}' says nothing without a role", "role_arn: arn:aws:iam::123456789012:role/name");
                }
            }
        }

        if (aws.TokenFile is { } file && !File.Exists(file))
        {
            judge.Warning(SourceMap.Join(path, "web_identity_token_file"), "the file of 'web_identity_token_file' does not exist yet", "it is read for every session");
        }

        foreach ((string key, string? text) in (ReadOnlySpan<(string, string?)>)
            [("profile", aws.Profile), ("role_arn", aws.RoleArn), ("role_session_name", aws.RoleSessionName), ("external_id", aws.ExternalId)])
        {
            if (text is not null && (text.Length is 0 or > TextMax || text.Any(static letter => letter is < ' ' or > '~')))
            {
                judge.Error(SourceMap.Join(path, key), $"'{key}' is empty, too long or holds control characters", "");
            }
        }
    }

    private static void ValidateAddress(ProviderOptions provider, AwsOptions aws, string path, Judge judge)
    {
        if (aws.StsUrl is { } url && !provider.AllowPrivateAddresses && (url.Scheme != Uri.UriSchemeHttps || url.IsLoopback))
        {
            judge.Error(SourceMap.Join(path, "sts_url"), "keys would go out in the clear, or to this machine", "https://…, or allow_private_addresses: true for own machines");
        }
    }
}
