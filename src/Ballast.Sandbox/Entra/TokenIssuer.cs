using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Entra;

/// <summary>Issues access tokens and knows its own again. They look like Entra ID's; the signature is a keyed hash that only this sandbox can make.</summary>
internal sealed class TokenIssuer(TimeProvider time)
{
    /// <summary>What Azure OpenAI's tokens are for.</summary>
    public const string Audience = "https://cognitiveservices.azure.com";

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public string Issue(string audience, Uri authority, TimeSpan lifetime)
    {
        long now = time.GetUtcNow().ToUnixTimeSeconds();
        JsonObject head = new() { ["typ"] = "JWT", ["alg"] = "RS256", ["kid"] = "sandbox" };
        JsonObject claims = new()
        {
            ["aud"] = audience,
            ["iss"] = $"{authority.GetLeftPart(UriPartial.Authority)}/{SandboxEntra.TenantId}/v2.0",
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = (time.GetUtcNow() + lifetime).ToUnixTimeMilliseconds() / 1000.0,
            ["appid"] = SandboxEntra.ClientId,
            ["tid"] = SandboxEntra.TenantId,
            ["uti"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
        };
        string signed = $"{Encode(head)}.{Encode(claims)}";
        return $"{signed}.{Sign(signed)}";
    }

    /// <summary>Issued here, for Azure OpenAI, and not yet expired.</summary>
    public bool IsGood(string token)
    {
        int cut = token.LastIndexOf('.');
        if (cut < 0 || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(token[..cut])), Encoding.UTF8.GetBytes(token[(cut + 1)..])))
        {
            return false;
        }

        string payload = token[(token.IndexOf('.', StringComparison.Ordinal) + 1)..cut];
        using JsonDocument claims = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
        return claims.RootElement.GetProperty("aud").GetString() == Audience
            && claims.RootElement.GetProperty("exp").GetDouble() > time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));

    private string Sign(string text) => Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text)));
}
