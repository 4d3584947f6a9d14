using System.Security.Cryptography;
using System.Text;

namespace Ballast.Tenancy;

/// <summary>
/// Content that is kept lies encrypted (AES-256-GCM) under a key of the gateway's own secret, bound to whose it is: who has the file alone reads nothing, and a row that was moved
/// to another key does not open. Rows of before, in clear, are read as they are.
/// </summary>
public sealed class ContentSeal(ReadOnlySpan<byte> key)
{
    /// <summary>What is told where something does not open.</summary>
    public const string Fault = "What is kept was encrypted under another secret (tenancy.pepper), or was changed.";

    /// <summary>No JSON begins with it.</summary>
    private const byte Mark = 0;

    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int HeadBytes = 1 + NonceBytes + TagBytes;

    private readonly byte[] _key = key.ToArray();

    /// <summary>A seal for one purpose, of the gateway's own secret.</summary>
    public static ContentSeal Of(Pepper pepper, string purpose) => new(Convert.FromHexString(pepper.Hash("ballast " + purpose)));

    /// <summary>It was closed, by whomever.</summary>
    public static bool IsClosed(ReadOnlySpan<byte> kept) => kept.Length >= HeadBytes && kept[0] == Mark;

    public byte[] Close(string owner, ReadOnlySpan<byte> text)
    {
        byte[] closed = new byte[HeadBytes + text.Length];
        closed[0] = Mark;
        Span<byte> nonce = closed.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using AesGcm cipher = new(_key, TagBytes);
        cipher.Encrypt(nonce, text, closed.AsSpan(HeadBytes), closed.AsSpan(1 + NonceBytes, TagBytes), Encoding.UTF8.GetBytes(owner));
        return closed;
    }

    /// <exception cref="CryptographicException">It was closed under another secret, or changed.</exception>
    public byte[] Open(string owner, byte[] kept)
    {
        if (!IsClosed(kept))
        {
            return kept;
        }

        byte[] text = new byte[kept.Length - HeadBytes];
        using AesGcm cipher = new(_key, TagBytes);
        cipher.Decrypt(kept.AsSpan(1, NonceBytes), kept.AsSpan(HeadBytes), kept.AsSpan(1 + NonceBytes, TagBytes), text, Encoding.UTF8.GetBytes(owner));
        return text;
    }

    public override string ToString() => "(seal)";
}
