using System.Security.Cryptography;

namespace Ballast.Exchanges;

/// <summary>Makes ids: <c>req_</c> and the 32 hex digits of a version 7 UUID, ordered by time.</summary>
internal static class ExchangeId
{
    private const int UuidBytes = 16;

    /// <summary>Randomness fetched from the system at once: asking it for each request would be a system call for each request.</summary>
    private const int StockBytes = 256 * UuidBytes;

    [ThreadStatic]
    private static byte[]? t_stock;

    [ThreadStatic]
    private static int t_left;

    public static string Make(DateTimeOffset now)
    {
        if (t_left == 0)
        {
            RandomNumberGenerator.Fill(t_stock ??= new byte[StockBytes]);
            t_left = StockBytes;
        }

        Span<byte> uuid = t_stock.AsSpan(StockBytes - t_left, UuidBytes);
        t_left -= UuidBytes;
        long milliseconds = now.ToUnixTimeMilliseconds();
        for (int i = 0; i < 6; i++)
        {
            uuid[i] = (byte)(milliseconds >> (40 - (8 * i)));
        }

        uuid[6] = (byte)((uuid[6] & 0x0F) | 0x70); // version 7
        uuid[8] = (byte)((uuid[8] & 0x3F) | 0x80); // variant of RFC 9562
        return string.Create(4 + (2 * UuidBytes), uuid, static (text, bytes) =>
        {
            "req_".CopyTo(text);
            Convert.TryToHexStringLower(bytes, text[4..], out _);
        });
    }
}
