using System.Text;
using System.Text.Unicode;

namespace Ballast.Transport.Http1;

/// <summary>Path and query out of a request's target.</summary>
internal static class RequestTargetText
{
    public static string Path(ReadOnlySpan<byte> target, TextMemo memo)
    {
        int query = target.IndexOf((byte)'?');
        ReadOnlySpan<byte> path = query < 0 ? target : target[..query];
        return path.Contains((byte)'%') ? Unescaped(path) : memo.Of(path);
    }

    /// <summary>Whether the query has a parameter of this name, in whatever case.</summary>
    public static bool HasQuery(ReadOnlySpan<byte> target, string name)
    {
        int at = target.IndexOf((byte)'?');
        if (at < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> query = target[(at + 1)..];
        foreach (Range range in query.Split((byte)'&'))
        {
            ReadOnlySpan<byte> parameter = query[range];
            int end = parameter.IndexOf((byte)'=');
            ReadOnlySpan<byte> found = end < 0 ? parameter : parameter[..end];
            if (found.ContainsAny((byte)'%', (byte)'+')
                ? Uri.UnescapeDataString(Encoding.ASCII.GetString(found).Replace('+', ' ')).Equals(name, StringComparison.OrdinalIgnoreCase)
                : Ascii.EqualsIgnoreCase(found, name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An escaped slash stays escaped: it is part of a name. So does what makes no text.</summary>
    private static string Unescaped(ReadOnlySpan<byte> path)
    {
        byte[] plain = new byte[path.Length];
        int length = 0;
        for (int i = 0; i < path.Length; i++)
        {
            int value = path[i] == '%' && i + 2 < path.Length ? Value(path.Slice(i + 1, 2)) : -1;
            if (value is <= 0 or '/')
            {
                plain[length++] = path[i];
                continue;
            }

            plain[length++] = (byte)value;
            i += 2;
        }

        ReadOnlySpan<byte> text = plain.AsSpan(0, length);
        return Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : Encoding.ASCII.GetString(path);
    }

    private static int Value(ReadOnlySpan<byte> digits) =>
        char.IsAsciiHexDigit((char)digits[0]) && char.IsAsciiHexDigit((char)digits[1])
            ? (Digit(digits[0]) << 4) | Digit(digits[1])
            : -1;

    private static int Digit(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
