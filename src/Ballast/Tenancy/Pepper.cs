using System.Security.Cryptography;
using System.Text;

namespace Ballast.Tenancy;

/// <summary>What keys are hashed with, so that who has the store alone has nothing to try keys against. It has no printable form.</summary>
public sealed class Pepper(ReadOnlySpan<byte> secret)
{
    private const int Bytes = 32;

    private readonly byte[] _secret = secret.ToArray();

    /// <summary>From the configuration.</summary>
    public static Pepper Of(string secret) => new(Encoding.UTF8.GetBytes(secret));

    /// <summary>From a file beside the store, which is made when there is none.</summary>
    /// <exception cref="TenancyStoreException">The file cannot be used.</exception>
    public static Pepper OfFile(string path)
    {
        try
        {
            PrivateFile.TryCreate(path, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)) + "\n"));
            string text = File.ReadAllText(path).Trim();
            return text.Length == 2 * Bytes && text.All(char.IsAsciiHexDigit)
                ? new Pepper(Convert.FromHexString(text))
                : throw new TenancyStoreException($"The pepper {path} must be {2 * Bytes} hexadecimal digits.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new TenancyStoreException($"The pepper {path} cannot be used: {failure.Message}", failure);
        }
    }

    /// <summary>HMAC-SHA256, 32 bytes. Allocates nothing.</summary>
    public void Hash(ReadOnlySpan<byte> key, Span<byte> digest) => HMACSHA256.HashData(_secret, key, digest);

    public string Hash(string key)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Hash(Encoding.UTF8.GetBytes(key), digest);
        return Convert.ToHexStringLower(digest);
    }

    public override string ToString() => "(pepper)";
}
