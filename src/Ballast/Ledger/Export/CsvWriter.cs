using System.Buffers;
using System.Globalization;

namespace Ballast.Ledger.Export;

/// <summary>
/// Writes CSV (RFC 4180, UTF-8, commas, CRLF). A text that a spreadsheet would take for a formula is written with an apostrophe before it, which spreadsheets do not show:
/// names in a ledger are partly what callers and platforms chose.
/// </summary>
internal sealed class CsvWriter(TextWriter output)
{
    private static readonly SearchValues<char> s_quoted = SearchValues.Create("\",\r\n;\t");

    private bool _isFirst = true;

    public void Text(string? value)
    {
        Separate();
        if (string.IsNullOrEmpty(value))
        {
            return;
        }

        string safe = value[0] is '=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '＝' or '＋' or '－' or '＠' ? "'" + value : value;
        output.Write(safe.AsSpan().ContainsAny(s_quoted) ? "\"" + safe.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : safe);
    }

    public void Number(long? value)
    {
        Separate();
        output.Write(value?.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Without an exponent, and without zeros at its end.</summary>
    public void Number(decimal? value)
    {
        Separate();
        output.Write(value?.ToString("0.############################", CultureInfo.InvariantCulture));
    }

    public void Flag(bool value)
    {
        Separate();
        output.Write(value ? "true" : "false");
    }

    /// <summary>In UTC, to the microsecond.</summary>
    public void Moment(DateTimeOffset value)
    {
        Separate();
        output.Write(value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
    }

    /// <summary>In UTC, to the second.</summary>
    public void Second(DateTimeOffset value)
    {
        Separate();
        output.Write(value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
    }

    public void Milliseconds(TimeSpan? value) => Number(value is { } time ? (decimal)time.Ticks / TimeSpan.TicksPerMillisecond : null);

    public void Null() => Separate();

    public void EndLine()
    {
        output.Write("\r\n");
        _isFirst = true;
    }

    public void Header(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            Text(name);
        }

        EndLine();
    }

    private void Separate()
    {
        if (!_isFirst)
        {
            output.Write(',');
        }

        _isFirst = false;
    }
}
