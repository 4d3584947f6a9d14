namespace Ballast.Ledger.Export;

/// <summary>A form that a ledger's rows can be taken away in.</summary>
internal interface ILedgerExport
{
    void WriteHeader(CsvWriter csv);

    /// <summary>False where the row cannot be told in this form: its cost is not known.</summary>
    bool Write(CsvWriter csv, LedgerEntry row);
}
