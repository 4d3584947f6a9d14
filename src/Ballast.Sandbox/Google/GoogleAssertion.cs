using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Google;

/// <summary>Signed claims with which somebody asks for a token: a service account's own, whose signature is checked, or another party's, whose keys the sandbox cannot know.</summary>
internal static class GoogleAssertion
{
    private const int LongestSeconds = 3600;

    /// <summary>A clock may run so far ahead.</summary>
    private const int AheadSeconds = 60;

    /// <summary>What is wrong with a service account's assertion, in Google's words; null where nothing is.</summary>
    public static string? Fault(string assertion, RSA key, string keyId, string email, IReadOnlyList<string> audiences, DateTimeOffset now)
    {
        string[] parts = assertion.Split('.');
        if (parts.Length != 3 || Parse(parts[0]) is not { } head || Parse(parts[1]) is not { } claims)
        {
            return "Bad Request";
        }

        using (head)
        using (claims)
        {
            if (Text(claims, "iss") != email)
            {
                return "Invalid grant: account not found";
            }

            if (Text(head, "alg") != "RS256" || Text(head, "kid") != keyId || !IsSigned(parts, key))
            {
                return "Invalid JWT Signature.";
            }

            if (!audiences.Contains(Text(claims, "aud")))
            {
                return "Invalid JWT: Failed audience check.";
            }

            long? issued = Seconds(claims, "iat");
            long? end = Seconds(claims, "exp");
            long today = now.ToUnixTimeSeconds();
            bool isCurrent = issued <= today + AheadSeconds && end > today && end - issued <= LongestSeconds;
            return !isCurrent
                ? "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
                : Text(claims, "scope") is { Length: > 0 } ? null : "Invalid OAuth scope or ID token audience provided.";
        }
    }

    /// <summary>What is wrong with another party's token; null where nothing is.</summary>
    public static string? ForeignFault(string token, string audience, DateTimeOffset now)
    {
        string[] parts = token.Split('.');
        if (parts.Length != 3 || parts[2].Length == 0 || Parse(parts[0]) is not { } head || Parse(parts[1]) is not { } claims)
        {
            return "ID Token is malformed.";
        }

        using (head)
        using (claims)
        {
            return Text(claims, "iss") is not { Length: > 0 } || Text(claims, "sub") is not { Length: > 0 } ? "Error connecting to the given credential's issuer."
                : Text(claims, "aud") != "https:" + audience ? "The audience in ID Token does not match the expected audience."
                : Seconds(claims, "exp") > now.ToUnixTimeSeconds() ? null
                : "ID Token issued at an earlier time is stale to sign-in.";
        }
    }

    private static bool IsSigned(string[] parts, RSA key)
    {
        try
        {
            return key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static string? Text(JsonDocument part, string name) =>
        part.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Seconds(JsonDocument part, string name) =>
        part.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long seconds) ? seconds : null;

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
