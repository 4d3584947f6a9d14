using System.Collections.Frozen;

namespace Ballast.Configuration;

/// <summary>Whose web pages' scripts may call the port for clients (https://fetch.spec.whatwg.org/#http-cors-protocol).</summary>
/// <param name="Origins">As browsers write them: <c>https://app.example.com</c>; <c>*</c> stands for all.</param>
public sealed record CorsOptions(FrozenSet<string> Origins)
{
    /// <summary>Most origins written down.</summary>
    public const int OriginsMax = 64;

    public const string AnyOrigin = "*";

    /// <summary>Scripts of pages of this origin may call.</summary>
    public bool Allows(string origin) => Origins.Contains(origin) || Origins.Contains(AnyOrigin);
}
