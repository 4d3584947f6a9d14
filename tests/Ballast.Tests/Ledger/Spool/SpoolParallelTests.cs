using System.Collections.Concurrent;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using CsCheck;

namespace Ballast.Tests.Ledger.Spool;

/// <summary>
/// The spool behaves, whoever brings records at once, as if one had come after the other: what was taken and refused, what its reader gets and what room is left are those of some order.
/// </summary>
public sealed class SpoolParallelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _spools;

    private static long Interleavings(long few, long many) => Environment.GetEnvironmentVariable("BALLAST_LONG") is { Length: > 0 } ? many : few;

    public void Dispose() => _folder.Dispose();

    /// <summary>Room for a few attempts, and none besides.</summary>
    [Fact]
    public void Spool_IntentsAndSettlesWithLittleRoom_AreLinear() => Check(waitsForDisk: false, Interleavings(40, 6_000));

    /// <summary>Records of several attempts share writes and flushes.</summary>
    [Fact]
    public void Spool_IntentsAndSettlesInGroups_AreLinear() => Check(waitsForDisk: true, Interleavings(10, 1_000));

    private void Check(bool waitsForDisk, long count) => Gen.Const(0).Select(_ => Open(waitsForDisk)).SampleParallel(
        Gen.Int[0, 9].Operation<Observed>(static (seen, _) => seen.Intend()),
        Gen.Const(0).Operation<Observed>(static (seen, _) => seen.Settle(isAwaited: true)),
        Gen.Const(0).Operation<Observed>(static (seen, _) => seen.Settle(isAwaited: false)),
        equal: static (one, other) => one.Final.Value == other.Final.Value, iter: count, maxSequentialOperations: 6, maxParallelOperations: 5);

    private Observed Open(bool waitsForDisk)
    {
        SpoolOptions options = new()
        {
            Folder = _folder.File(Interlocked.Increment(ref _spools).ToString(System.Globalization.CultureInfo.InvariantCulture)),
            FirstSegmentBytes = waitsForDisk ? 256 * 1024 : 8 * 1024, // more than all of them need: what is made beside them must not decide
            SegmentBytes = waitsForDisk ? 256 * 1024 : 8 * 1024,
            WaitsForDisk = waitsForDisk,
            RoomRetry = TimeSpan.FromMinutes(1),
            FaultWaitMax = TimeSpan.FromMinutes(1),
        };
        return new Observed(LedgerSpool.Open(options, TimeProvider.System, new FaultyDisk { FilesLeft = waitsForDisk ? int.MaxValue : 1 }), options.Folder);
    }

    /// <summary>A spool, what its operations returned, and, once it is asked for, what they left behind; the spool ends with that.</summary>
    private sealed class Observed
    {
        private readonly ConcurrentQueue<string> _returned = new();
        private readonly ConcurrentQueue<SpoolTicket> _running = new();
        private readonly LedgerSpool _spool;
        private readonly string _folder;
        private int _ids;

        public Observed(LedgerSpool spool, string folder)
        {
            (_spool, _folder) = (spool, folder);
            Final = new Lazy<string>(End);
        }

        public Lazy<string> Final { get; }

        public void Intend()
        {
            try
            {
                ValueTask<bool> kept = _spool.IntendAsync(NewRow(), out SpoolTicket ticket);
                _returned.Enqueue($"intend {kept.AsTask().GetAwaiter().GetResult()}");
                _running.Enqueue(ticket);
            }
            catch (SpoolFullException)
            {
                _returned.Enqueue("refused");
            }
        }

        public void Settle(bool isAwaited)
        {
            if (!_running.TryDequeue(out SpoolTicket? ticket))
            {
                _returned.Enqueue("nothing runs");
            }
            else if (isAwaited)
            {
                _returned.Enqueue($"settle {_spool.SettleAsync(NewRow(), ticket).AsTask().GetAwaiter().GetResult()}");
            }
            else
            {
                _spool.Settle(NewRow(), ticket);
                _returned.Enqueue("settled");
            }
        }

        public override string ToString() => string.Join(", ", _returned.Order());

        private LedgerEntry NewRow() => SampleEntries.Completed(Interlocked.Increment(ref _ids).ToString("D4", System.Globalization.CultureInfo.InvariantCulture));

        private string End()
        {
            // What is left of a room that was full is seen in how many attempts still fit.
            int fit = 0;
            try
            {
                for (; fit < 20; fit++)
                {
                    _spool.IntendAsync(NewRow(), out _).AsTask().GetAwaiter().GetResult();
                }
            }
            catch (SpoolFullException)
            {
                // So many.
            }

            _spool.Stop();
            List<LedgerEntry> rows = [];
            new SpoolReader(_spool.Files).Read(rows, int.MaxValue);
            int open = Directory.GetFiles(_folder, "*.spool").Length == 0 ? 0 : _running.Count;
            string state = $"{this}; {rows.Count} rows, {rows.DistinctBy(static row => row.AttemptId).Count()} of them different, {_spool.Settles} settles, {open} open, {_spool.Lost} lost, {fit} more";
            _spool.Dispose();
            Directory.Delete(_folder, recursive: true);
            return state;
        }
    }
}
