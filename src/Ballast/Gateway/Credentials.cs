using Ballast.Exchanges;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Ballast.Gateway;

/// <summary>The one place that takes an API key out of a request, whatever header an SDK uses. Two different keys are refused: which one was meant is anybody's guess.</summary>
public static class Credentials
{
    /// <summary>The key where it lies in its header, no copy of it; empty where there is none.</summary>
    /// <exception cref="GatewayException">Two different keys were sent.</exception>
    public static ReadOnlyMemory<char> Find(IHeaderDictionary headers)
    {
        ReadOnlyMemory<char> key = default;
        foreach (string? authorization in headers.Authorization)
        {
            if (authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true)
            {
                key = Agree(key, authorization.AsMemory("Bearer ".Length).Trim());
            }
        }

        key = Agree(key, headers["x-api-key"]);
        key = Agree(key, headers["api-key"]);
        return Agree(key, headers["x-goog-api-key"]);
    }

    private static ReadOnlyMemory<char> Agree(ReadOnlyMemory<char> known, StringValues found)
    {
        foreach (string? value in found)
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
