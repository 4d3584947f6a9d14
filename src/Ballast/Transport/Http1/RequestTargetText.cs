using System.Buffers;
using System.Text;

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

    /// <summary>The query's parameter of this name, in whatever case; null where there is none.</summary>
    public static string? Query(ReadOnlySpan<byte> target, string name)
    {
        int at = target.IndexOf((byte)'?');
        if (at < 0)
        {
            return null;
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
                return end < 0 ? "" : Uri.UnescapeDataString(Encoding.ASCII.GetString(parameter[(end + 1)..]).Replace('+', ' '));
            }
        }

        return null;
    }

    /// <summary>An escaped slash stays escaped: it is part of a name. So does what makes no character.</summary>
    private static string Unescaped(ReadOnlySpan<byte> path)
    {
        StringBuilder plain = new(path.Length);
        Span<byte> units = stackalloc byte[4];
        for (int i = 0; i < path.Length;)
        {
            int count = 0;
            while (count < units.Length && Value(path[(i + (count * 3))..]) is >= 0 and int value)
            {
                units[count++] = (byte)value;
            }

            if (count > 0 && units[0] != '/' && Rune.DecodeFromUtf8(units[..count], out Rune rune, out int used) == OperationStatus.Done)
            {
                plain.Append(rune.ToString());
                i += used * 3;
                continue;
            }

            plain.Append((char)path[i++]);
        }

        return plain.ToString();
    }

    private static int Value(ReadOnlySpan<byte> escaped) =>
        escaped.Length > 2 && escaped[0] == '%' && char.IsAsciiHexDigit((char)escaped[1]) && char.IsAsciiHexDigit((char)escaped[2])
            ? (Digit(escaped[1]) << 4) | Digit(escaped[2])
            : -1;

    private static int Digit(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
