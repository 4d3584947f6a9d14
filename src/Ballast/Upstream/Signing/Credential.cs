using Ballast.Catalog;

namespace Ballast.Upstream.Signing;

/// <summary>Something fetched that requests are signed with for a while. It has no printable form.</summary>
/// <param name="lifetime">From now until it is refused; a span, so that it cannot depend on whose clock told an hour.</param>
public abstract class Credential(TimeSpan lifetime)
{
    public TimeSpan Lifetime { get; } = lifetime;
}

/// <summary>A token for <c>Authorization: Bearer</c>.</summary>
public sealed class BearerToken(string token, TimeSpan lifetime) : Credential(lifetime)
{
    /// <summary>The whole header value, made once.</summary>
    public Secret Authorization { get; } = new("Bearer " + token);
}
