using System.Security.Cryptography;
using System.Text;

namespace Ballast.Guards.Redaction;

/// <summary>
/// What stands in a value's place: its label, a hyphen and ten characters (Crockford's base 32) out of an HMAC of the value under the app's own key: <c>EMAIL-7K3M9QXA2B</c>. The same value has the same one
/// in every turn without anything being kept, and who has no key cannot try values against it. Letters, digits and a hyphen survive JSON, Markdown and addresses.
/// </summary>
internal static class Placeholder
{
    public const int CodeLength = 10;

    /// <summary>Longest label, in characters.</summary>
    public const int LabelLengthMax = 24;

    /// <summary>Longest placeholder, in characters.</summary>
    public const int LengthMax = LabelLengthMax + 1 + CodeLength;

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <param name="key">The app's.</param>
    /// <param name="label">What the value is.</param>
    /// <param name="value">As it was written: it is put back like that.</param>
    /// <param name="attempt">0, and more where another value of the same request has the same one.</param>
    public static string Of(ReadOnlySpan<byte> key, string label, string value, int attempt)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{label}\0{value}{(attempt == 0 ? "" : $"\0{attempt}")}"), digest);
        ulong bits = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(digest);
        return string.Create(label.Length + 1 + CodeLength, (label, bits), static (text, made) =>
        {
            made.label.CopyTo(text);
            text[made.label.Length] = '-';
            for (int i = 0; i < CodeLength; i++)
            {
                text[made.label.Length + 1 + i] = Alphabet[(int)((made.bits >> (5 * i)) & 31)];
            }
        });
    }

    /// <summary>Finds the next text of that form, whoever made it.</summary>
    public static bool TryNext(ReadOnlySpan<char> text, int from, IReadOnlyList<string> labels, out int start, out int end)
    {
        while (text[from..].IndexOf('-') is >= 0 and int step)
        {
            int hyphen = from + step;
            end = hyphen + 1 + CodeLength;
            from = hyphen + 1;
            if (end > text.Length || !IsCode(text[from..end]))
            {
                continue;
            }

            start = hyphen;
            foreach (string label in labels)
            {
                // Of labels that end alike the longest counts.
                if (hyphen >= label.Length && hyphen - label.Length < start && text.Slice(hyphen - label.Length, label.Length).Equals(label, StringComparison.OrdinalIgnoreCase))
                {
                    start = hyphen - label.Length;
                }
            }

            if (start < hyphen)
            {
                return true;
            }
        }

        (start, end) = (text.Length, text.Length);
        return false;
    }

    /// <summary>How many characters at the end may be the beginning of a placeholder.</summary>
    public static int Pending(ReadOnlySpan<char> text, IReadOnlyList<string> labels)
    {
        for (int start = Math.Max(0, text.Length - LengthMax + 1); start < text.Length; start++)
        {
            foreach (string label in labels)
            {
                if (IsBeginning(text[start..], label))
                {
                    return text.Length - start;
                }
            }
        }

        return 0;
    }

    private static bool IsBeginning(ReadOnlySpan<char> text, string label) =>
        text.Length <= label.Length
            ? label.AsSpan().StartsWith(text, StringComparison.OrdinalIgnoreCase)
            : text.StartsWith(label, StringComparison.OrdinalIgnoreCase) && text[label.Length] == '-' && text.Length < label.Length + 1 + CodeLength && IsCode(text[(label.Length + 1)..]);

    private static bool IsCode(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) || char.ToUpperInvariant(c) is 'I' or 'L' or 'O' or 'U')
            {
                return false;
            }
        }

        return true;
    }
}
