using System.Text;

namespace Ballast.Ledger.Export;

/// <summary>Writes the rows of a period to a stream, a page at a time: the memory that it takes does not grow with the ledger.</summary>
public static class LedgerExport
{
    /// <summary>Rows read at once.</summary>
    public const int PageRows = 2_000;

    /// <summary>The forms that there are.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["csv", "focus"];

    /// <summary>Returns how many rows were looked at, and how many of them could not be told since their cost is not known.</summary>
    /// <param name="ledger">Where the rows are.</param>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="filter">Which rows.</param>
    /// <param name="output">Stays open.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="LedgerException">The ledger cannot be read.</exception>
    public static async Task<(long Rows, long LeftOut)> WriteAsync(LedgerReader ledger, string format, LedgerFilter filter, Stream output, CancellationToken cancellation)
    {
        ILedgerExport export = format == "focus" ? new FocusExport() : new RowsExport();
        using MemoryStream page = new();
        using StreamWriter text = new(page, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
        CsvWriter csv = new(text);
        export.WriteHeader(csv);
        long rows = 0;
        long leftOut = 0;
        LedgerEntry? last = null;
        while (true)
        {
            IReadOnlyList<LedgerEntry> entries = await ledger.PageAsync(filter, last, PageRows, cancellation).ConfigureAwait(false);
            foreach (LedgerEntry entry in entries)
            {
                rows++;
                leftOut += export.Write(csv, entry) ? 0 : 1;
            }

            await text.FlushAsync(cancellation).ConfigureAwait(false);
            page.Position = 0;
            await page.CopyToAsync(output, cancellation).ConfigureAwait(false);
            page.SetLength(0);
            if (entries.Count < PageRows)
            {
                await output.FlushAsync(cancellation).ConfigureAwait(false);
                return (rows, leftOut);
            }

            last = entries[^1];
        }
    }
}
