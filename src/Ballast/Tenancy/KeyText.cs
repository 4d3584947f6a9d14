using System.Globalization;
using System.Security.Cryptography;

namespace Ballast.Tenancy;

/// <summary>
/// The text of a key: a recognisable prefix, 192 random bits and a checksum, in hexadecimal digits. A text with a wrong checksum was mistyped or made up: it is
/// refused without a hash and without a look at anything.
/// </summary>
public static class KeyText
{
    public const string KeyPrefix = "blst_";
    public const string TokenPrefix = "blsta_";

    private const int RandomBytes = 24;
    private const int ChecksumDigits = 8;

    /// <summary>Length of a key, in characters.</summary>
    public const int KeyLength = 5 + (2 * RandomBytes) + ChecksumDigits;

    public static string MakeKey() => Make(KeyPrefix);

    public static string MakeToken() => Make(TokenPrefix);

    /// <summary>A text that is a key made at run time, or one that was mistyped.</summary>
    public static bool HasKeyForm(ReadOnlySpan<char> text) => text.Length == KeyLength && text.StartsWith(KeyPrefix, StringComparison.Ordinal);

    public static bool IsKey(ReadOnlySpan<char> text) => IsSound(text, KeyPrefix);

    public static bool IsToken(ReadOnlySpan<char> text) => IsSound(text, TokenPrefix);

    private static string Make(string prefix)
    {
        string body = prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes));
        return body + Checksum(body).ToString("x8", CultureInfo.InvariantCulture);
    }

    private static bool IsSound(ReadOnlySpan<char> text, string prefix)
    {
        int length = prefix.Length + (2 * RandomBytes) + ChecksumDigits;
        return text.Length == length && text.StartsWith(prefix, StringComparison.Ordinal)
            && uint.TryParse(text[^ChecksumDigits..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint told)
            && told == Checksum(text[..^ChecksumDigits]) && !text.ContainsAnyInRange('A', 'F');
    }

    /// <summary>FNV-1a, finished: it guards against mistakes, not against anybody.</summary>
    private static uint Checksum(ReadOnlySpan<char> text)
    {
        uint hash = 2166136261;
        foreach (char letter in text)
        {
            hash = (hash ^ letter) * 16777619;
        }

        hash ^= hash >> 15;
        hash *= 0x85EBCA6B;
        return hash ^ (hash >> 13);
    }
}
