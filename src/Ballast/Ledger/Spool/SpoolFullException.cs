namespace Ballast.Ledger.Spool;

/// <summary>The spool has no room, or the disk takes nothing: what would be billed may not begin.</summary>
public sealed class SpoolFullException() : Exception("The ledger's spool has no room.");
