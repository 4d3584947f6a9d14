using Ballast.Catalog;

namespace Ballast.Upstream.Signing;

/// <summary>AWS keys that were fetched.</summary>
/// <param name="keys">With which requests are signed.</param>
/// <param name="lifetime">Until they are refused, or are looked up anew.</param>
public sealed class AwsSession(AwsKeys keys, TimeSpan lifetime) : Credential(lifetime)
{
    public AwsKeys Keys { get; } = keys;
}
