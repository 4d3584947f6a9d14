using System.Globalization;

namespace Ballast.Configuration;

/// <summary>Durations (<c>250ms</c>, <c>5s</c>, <c>2m</c>, <c>1h</c>) and sizes (<c>64KiB</c>, <c>32MiB</c>, <c>1GiB</c>, plain bytes) as people write them.</summary>
internal static class Quantity
{
    public static bool TryDuration(string text, out TimeSpan value)
    {
        value = default;
        double seconds = text switch
        {
            _ when Strip(text, "ms", out double milliseconds) => milliseconds / 1000,
            _ when Strip(text, "s", out double number) => number,
            _ when Strip(text, "m", out double minutes) => minutes * 60,
            _ when Strip(text, "h", out double hours) => hours * 3600,
            _ => -1,
        };
        if (seconds is not (>= 0 and <= 1e9))
        {
            return false;
        }

        value = TimeSpan.FromSeconds(seconds);
        return true;
    }

    public static bool TrySize(string text, out long bytes)
    {
        double size = text switch
        {
            _ when Strip(text, "KiB", out double kibi) => kibi * 1024,
            _ when Strip(text, "MiB", out double mebi) => mebi * 1024 * 1024,
            _ when Strip(text, "GiB", out double gibi) => gibi * 1024 * 1024 * 1024,
            _ when Strip(text, "B", out double plain) => plain,
            _ when Strip(text, "", out double bare) => bare,
            _ => -1,
        };
        bytes = size is >= 0 and <= 1e15 ? (long)size : -1;
        return bytes >= 0;
    }

    private static bool Strip(string text, string unit, out double number)
    {
        number = 0;
        return text.EndsWith(unit, StringComparison.Ordinal)
            && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }
}
