namespace Ballast.Protocols;

/// <summary>One entry of a model list: the public name, who is behind it, since when (seconds since 1970, UTC).</summary>
public sealed record ModelDescription(string Name, string Owner, long CreatedUnixSeconds);
