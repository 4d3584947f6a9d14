using System.Security.Cryptography;
using System.Text;

namespace Ballast.Idempotency;

/// <summary>Under which name an answer is kept: one <c>Idempotency-Key</c> of one API key. Hashes, so that neither is written to the disk.</summary>
public sealed class IdempotencyName
{
    /// <summary>Longest key taken, in characters.</summary>
    public const int CharactersMax = 255;

    private IdempotencyName(byte[] scope, byte[] name)
    {
        (Scope, Hash, Text) = (scope, name, Convert.ToHexStringLower(name));
    }

    /// <summary>SHA-256 of the API key's name.</summary>
    public byte[] Scope { get; }

    /// <summary>SHA-256 of both names.</summary>
    public byte[] Hash { get; }

    /// <summary><see cref="Hash"/> in hexadecimal digits.</summary>
    public string Text { get; }

    /// <summary>Null where the text is no key: empty, too long, or not of visible ASCII characters.</summary>
    public static IdempotencyName? Of(string apiKeyName, string text)
    {
        if (text.Length is 0 or > CharactersMax || text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return null;
        }

        byte[] scope = SHA256.HashData(Encoding.UTF8.GetBytes(apiKeyName));
        return new IdempotencyName(scope, SHA256.HashData([.. scope, .. Encoding.ASCII.GetBytes(text)]));
    }
}
