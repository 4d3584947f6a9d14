namespace Ballast.Exchanges;

/// <summary>Tokens of a request as it came, on the high side, without reading it: three bytes for one, and a picture for what pictures cost.</summary>
public static class InputBound
{
    /// <summary>UTF-8 bytes for one token: English has about four, scripts of three bytes a character about one character.</summary>
    private const int BytesPerToken = 3;

    /// <summary>What one picture is taken for; vendors count between 85 and about 1,600.</summary>
    private const int TokensPerImage = 1600;

    /// <summary>Shorter bodies hold no picture that is worth a look.</summary>
    private const int LookFrom = 16 * 1024;

    /// <summary>PNG, JPEG, GIF and WebP, as base64 begins them: whatever protocol carries them.</summary>
    private static ReadOnlySpan<byte> Png => "iVBORw0KGgo"u8;
    private static ReadOnlySpan<byte> Jpeg => "/9j/"u8;
    private static ReadOnlySpan<byte> Gif => "R0lGOD"u8;
    private static ReadOnlySpan<byte> WebP => "UklGR"u8;

    public static long Of(ReadOnlySpan<byte> body)
    {
        if (body.Length < LookFrom)
        {
            return Tokens(body.Length);
        }

        long left = body.Length;
        long pictures = 0;
        Take(body, Png, ref left, ref pictures);
        Take(body, Jpeg, ref left, ref pictures);
        Take(body, Gif, ref left, ref pictures);
        Take(body, WebP, ref left, ref pictures);
        return Tokens(left) + (pictures * TokensPerImage);
    }

    private static long Tokens(long bytes) => (bytes + BytesPerToken - 1) / BytesPerToken;

    private static void Take(ReadOnlySpan<byte> body, ReadOnlySpan<byte> begin, ref long left, ref long pictures)
    {
        for (int at = 0; body[at..].IndexOf(begin) is >= 0 and int found;)
        {
            int start = at + found;
            int length = body[start..].IndexOf((byte)'"');
            length = length < 0 ? body.Length - start : length;

            // Where a text begins, after a quotation mark or the comma of a data URL: inside of other base64 the same letters mean nothing.
            if (start > 0 && body[start - 1] is (byte)'"' or (byte)',' && Tokens(length) > TokensPerImage)
            {
                left -= length;
                pictures++;
                at = start + length;
            }
            else
            {
                at = start + begin.Length;
            }
        }
    }
}
