using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ballast.Sandbox.Google;

/// <summary>Issues access tokens that look like Google's, and knows its own again.</summary>
internal sealed class GoogleTokenIssuer(TimeProvider time)
{
    private const string Prefix = "ya29.";

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <param name="principal">Whose it is.</param>
    /// <param name="lifetime">From now on.</param>
    public string Issue(string principal, TimeSpan lifetime)
    {
        string end = (time.GetUtcNow() + lifetime).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        string claims = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{principal} {end} {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}"));
        return $"{Prefix}{claims}.{Sign(claims)}";
    }

    public bool IsGood(string token) => PrincipalOf(token) is not null;

    /// <summary>Null for one that was not issued here or has expired.</summary>
    public string? PrincipalOf(string token)
    {
        string[] parts = token.Split('.');
        if (parts is not ["ya29", var claims, var mac] || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(claims)), Encoding.UTF8.GetBytes(mac)))
        {
            return null;
        }

        string[] words = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(claims)).Split(' ');
        return long.Parse(words[1], CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeMilliseconds() ? words[0] : null;
    }

    private string Sign(string text) => Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text)));
}
