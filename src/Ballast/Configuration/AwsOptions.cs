namespace Ballast.Configuration;

/// <summary>A provider's <c>aws:</c>: how requests are signed instead of sending a Bedrock API key. With no key and no profile written, AWS's own chain of sources is asked.</summary>
public sealed record AwsOptions
{
    public SecretOptions? AccessKeyId { get; init; }
    public SecretOptions? SecretAccessKey { get; init; }

    /// <summary>For temporary keys.</summary>
    public SecretOptions? SessionToken { get; init; }

    /// <summary>A profile of AWS's shared files.</summary>
    public string? Profile { get; init; }

    /// <summary>A role that is assumed with what is written beside it, or with what the chain finds.</summary>
    public string? RoleArn { get; init; }

    /// <summary>How the role's sessions are called in AWS's logs; <c>ballast</c> where nothing is written.</summary>
    public string? RoleSessionName { get; init; }

    /// <summary>What the role's owner demands beside.</summary>
    public string? ExternalId { get; init; }

    /// <summary>The role is assumed with another party's token in this file, read anew each time.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Where roles are assumed, if not at AWS's own endpoint of the region.</summary>
    public Uri? StsUrl { get; init; }
}
