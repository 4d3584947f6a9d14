using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Ballast.Guards.Redaction;

/// <summary>Finds base64 and hexadecimal digits that are a text in disguise, so that it can be looked into.</summary>
internal static class EncodedFinder
{
    /// <summary>Fewest characters that are worth undoing.</summary>
    public const int LengthMin = 12;

    private static readonly SearchValues<char> s_hex = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>Longest piece that is undone, in characters.</summary>
    private const int LengthMax = TextWindow.CharactersMax;

    /// <summary>The next piece that is a text; false where there is none.</summary>
    public static bool TryNext(ReadOnlySpan<char> text, int from, out int start, out int end, out string decoded)
    {
        decoded = "";
        for (start = from; start < text.Length; start = end + 1)
        {
            while (start < text.Length && !IsCode(text[start]))
            {
                start++;
            }

            end = start;
            while (end < text.Length && IsCode(text[end]) && end - start < LengthMax)
            {
                end++;
            }

            int bare = end;
            while (end < text.Length && text[end] == '=' && end - bare < 2)
            {
                end++;
            }

            if (bare - start >= LengthMin && TryDecode(text[start..bare], out decoded))
            {
                return true;
            }
        }

        end = text.Length;
        return false;
    }

    private static bool IsCode(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '-' or '_';

    private static bool TryDecode(ReadOnlySpan<char> code, out string decoded)
    {
        decoded = "";
        byte[] bytes = new byte[code.Length];
        if ((code.Length & 1) == 0 && code.Length >= 16 && code.IndexOfAnyExcept(s_hex) < 0
            && Convert.FromHexString(code, bytes, out _, out int hex) == OperationStatus.Done && IsText(bytes.AsSpan(0, hex), out decoded))
        {
            return true;
        }

        int length = code.Length;
        char[] plain = code.ToArray();
        plain.AsSpan().Replace('+', '-');
        plain.AsSpan().Replace('/', '_');
        return length % 4 != 1 && Base64Url.DecodeFromChars(plain, bytes, out _, out int written) == OperationStatus.Done && IsText(bytes.AsSpan(0, written), out decoded);
    }

    private static bool IsText(ReadOnlySpan<byte> bytes, out string text)
    {
        text = "";
        foreach (byte one in bytes)
        {
            if (one < ' ' && one is not ((byte)'\t' or (byte)'\n' or (byte)'\r'))
            {
                return false;
            }
        }

        if (bytes.Length < 6 || !System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return false;
        }

        text = Encoding.UTF8.GetString(bytes);
        return true;
    }
}
