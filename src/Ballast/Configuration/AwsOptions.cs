namespace Ballast.Configuration;

/// <summary>A provider's <c>aws:</c>: an access key with which requests are signed instead of a Bedrock API key.</summary>
public sealed record AwsOptions
{
    public SecretOptions? AccessKeyId { get; init; }
    public SecretOptions? SecretAccessKey { get; init; }

    /// <summary>For temporary keys.</summary>
    public SecretOptions? SessionToken { get; init; }
}
