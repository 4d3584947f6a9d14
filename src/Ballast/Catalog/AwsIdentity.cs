namespace Ballast.Catalog;

/// <summary>Where an AWS account's keys come from: a profile, another party's token, keys that may assume a role; with none of them AWS's own chain of sources.</summary>
public sealed record AwsIdentity
{
    /// <summary>Keys that assume <see cref="RoleArn"/>; null where others do.</summary>
    public AwsKeys? Keys { get; init; }

    /// <summary>A profile of AWS's shared files.</summary>
    public string? Profile { get; init; }

    /// <summary>Assumed with what the rest of this gives; null uses that as it is.</summary>
    public string? RoleArn { get; init; }

    /// <summary>The session's name in AWS's logs.</summary>
    public required string RoleSessionName { get; init; }
    public string? ExternalId { get; init; }

    /// <summary>Another party's token, with which the role is assumed.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Null asks AWS's own endpoint of the region.</summary>
    public Uri? StsUrl { get; init; }
    public required string Region { get; init; }
}
