using System.Buffers.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Entra;

/// <summary>
/// The token of another party with which a workload proves who it is. Its form and claims are checked as Entra ID checks them; not its signature, whose keys the sandbox
/// cannot know.
/// </summary>
internal static class ClientAssertion
{
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private const string Audience = "api://AzureADTokenExchange";

    /// <summary>What is wrong with it, as Entra ID's code and sentence; null where nothing is.</summary>
    public static (string Code, string Text)? Fault(string assertion, DateTimeOffset now)
    {
        string[] parts = assertion.Split('.');
        if (parts.Length != 3 || parts[2].Length == 0 || Parse(parts[0]) is not { } head || Parse(parts[1]) is not { } claims)
        {
            return ("AADSTS50027", "JWT token is invalid or malformed.");
        }

        using (head)
        using (claims)
        {
            if (Text(head, "alg") is not ("RS256" or "ES256" or "PS256"))
            {
                return ("AADSTS50027", "JWT token is invalid or malformed: unsupported algorithm.");
            }

            if (Text(claims, "aud") != Audience)
            {
                return ("AADSTS700212", $"No matching federated identity record found for presented assertion audience '{Text(claims, "aud")}'.");
            }

            if (Text(claims, "iss") is not { Length: > 0 } || Text(claims, "sub") is not { Length: > 0 })
            {
                return ("AADSTS700213", "No matching federated identity record found for presented assertion subject.");
            }

            bool isCurrent = claims.RootElement.TryGetProperty("exp", out JsonElement end) && end.TryGetInt64(out long seconds) && seconds > now.ToUnixTimeSeconds();
            return isCurrent ? null : ("AADSTS700024", "Client assertion is not within its valid time range.");
        }
    }

    private static string? Text(JsonDocument part, string name) =>
        part.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonDocument? Parse(string part)
    {
        try
        {
            JsonDocument parsed = JsonDocument.Parse(Base64Url.DecodeFromChars(part));
            if (parsed.RootElement.ValueKind == JsonValueKind.Object)
            {
                return parsed;
            }

            parsed.Dispose();
        }
        catch (Exception fault) when (fault is FormatException or JsonException)
        {
            // Neither base64url nor JSON: malformed.
        }

        return null;
    }
}
