namespace Ballast.Catalog;

/// <summary>An AWS access key: requests are signed with its secret; temporary ones have a session token beside.</summary>
public sealed record AwsKeys(string AccessKeyId, Secret SecretAccessKey, Secret? SessionToken);
