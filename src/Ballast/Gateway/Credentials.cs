using Ballast.Exchanges;
using Ballast.Transport;

namespace Ballast.Gateway;

/// <summary>The one place that takes an API key out of a request, whatever header an SDK uses. Two different keys are refused: which one was meant is anybody's guess.</summary>
public static class Credentials
{
    /// <summary>The key where it lies in its header, no copy of it; empty where there is none.</summary>
    /// <param name="http">The request.</param>
    /// <param name="parameter">The query parameter in which the protocol's callers may have it; null where there is none.</param>
    /// <exception cref="GatewayException">Two different keys were sent.</exception>
    public static ReadOnlyMemory<char> Find(HttpCall http, string? parameter = null)
    {
        ReadOnlyMemory<char> key = default;
        int position = 0;
        while (http.NextHeader("authorization", ref position) is { } authorization)
        {
            if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            {
                key = Agree(key, authorization.AsMemory("Bearer ".Length).Trim());
            }
        }

        key = Agree(key, http, "x-api-key");
        key = Agree(key, http, "api-key");
        key = parameter is null ? key : Agree(key, http.Query(parameter).AsMemory());
        return Agree(key, http, "x-goog-api-key");
    }

    private static ReadOnlyMemory<char> Agree(ReadOnlyMemory<char> known, HttpCall http, string header)
    {
        int position = 0;
        while (http.NextHeader(header, ref position) is { } value)
        {
            known = Agree(known, value.AsMemory());
        }

        return known;
    }

    private static ReadOnlyMemory<char> Agree(ReadOnlyMemory<char> known, ReadOnlyMemory<char> found)
    {
        if (found.IsEmpty)
        {
            return known;
        }

        return known.IsEmpty || known.Span.SequenceEqual(found.Span) ? found : throw new GatewayException(GatewayError.AmbiguousKey);
    }
}
