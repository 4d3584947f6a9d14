using Ballast.Exchanges;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Ballast.Gateway;

/// <summary>The one place that takes an API key out of a request, whatever header an SDK uses. Two different keys are refused: which one was meant is anybody's guess.</summary>
public static class Credentials
{
    /// <exception cref="GatewayException">Two different keys were sent.</exception>
    public static string? Find(IHeaderDictionary headers)
    {
        string? key = null;
        foreach (string? authorization in headers.Authorization)
        {
            if (authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true)
            {
                key = Agree(key, authorization["Bearer ".Length..].Trim());
            }
        }

        key = Agree(key, headers["x-api-key"]);
        return Agree(key, headers["api-key"]);
    }

    private static string? Agree(string? known, StringValues found)
    {
        foreach (string? value in found)
        {
            if (string.IsNullOrEmpty(value))
            {
                continue;
            }

            if (known is not null && known != value)
            {
                throw new GatewayException(GatewayError.AmbiguousKey);
            }

            known = value;
        }

        return known;
    }
}
