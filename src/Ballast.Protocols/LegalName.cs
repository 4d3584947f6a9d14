using System.Security.Cryptography;
using System.Text;

namespace Ballast.Protocols;

/// <summary>
/// Ids and tool names in the letters that vendors allow (<c>^[a-zA-Z0-9_-]+$</c>). The mapping is a pure function: an offer, a call and its result are mapped alike in
/// every request of a conversation, without memory.
/// </summary>
internal static class LegalName
{
    /// <summary>Longest name that is made here.</summary>
    private const int MadeLengthMax = 128;

    private const int HashLength = 10;

    /// <summary>Length of the ids that Mistral takes, and no others.</summary>
    private const int ShortLength = 9;

    /// <summary>The text itself where it is legal; else its legal characters and a hash of the whole, so that two names stay two.</summary>
    public static string Of(string text, int lengthMax = int.MaxValue)
    {
        if (text.Length > 0 && text.Length <= lengthMax && text.All(IsLegal))
        {
            return text;
        }

        string hash = HashOf(text);
        string kept = string.Concat(text.Select(letter => IsLegal(letter) ? letter : '_'));
        return $"{kept[..Math.Min(kept.Length, Math.Min(lengthMax, MadeLengthMax) - HashLength - 1)]}_{hash}";
    }

    /// <summary>What tells two names apart that would be one otherwise.</summary>
    public static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLength];

    /// <summary>An id of nine letters and digits: the text itself where it is one, else the beginning of its hash.</summary>
    public static string Short(string text) =>
        text.Length == ShortLength && text.All(char.IsAsciiLetterOrDigit)
            ? text
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..ShortLength];

    private static bool IsLegal(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-';
}
