using System.Globalization;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Ledger.Spool;

public sealed class LedgerSpoolTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Folder => _folder.File("spool");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Open_SettledRowsOfAnEarlierRun_AreReadWhole()
    {
        LedgerEntry row = SampleEntries.Completed("a1") with { Team = "t", Organisation = "o", Reserved = 1.5m, ReservedCurrency = "EUR", UpstreamStatus = null };
        using (LedgerSpool spool = Open())
        {
            Assert.True(await spool.IntendAsync(row, out SpoolTicket place));
            Assert.True(await spool.SettleAsync(row, place));
        }

        LedgerEntry read = Assert.Single(Reopen(out int orphans));
        Assert.Equal(0, orphans);
        Assert.Equal(row.Losses, read.Losses);
        Assert.Equal(row with { Losses = [] }, read with { Losses = [] });
    }

    [Fact]
    public async Task Open_IntentsWithoutSettle_AreSettledAsTheyStand()
    {
        string image = _folder.File("image");
        using (LedgerSpool spool = Open())
        {
            for (int index = 0; index < 10; index++)
            {
                LedgerEntry row = SampleEntries.Completed(Id(index)) with { IsEstimated = true, Reason = "gateway_stopped", Outcome = AttemptOutcome.Interrupted };
                await spool.IntendAsync(row, out SpoolTicket place);
                if (index % 2 == 0)
                {
                    await spool.SettleAsync(row with { IsEstimated = false, Outcome = AttemptOutcome.Completed }, place);
                }
            }

            CopyTo(image);
        }

        List<LedgerEntry> rows = Reopen(out int orphans, image);
        Assert.Equal(5, orphans);
        Assert.Equal(10, rows.Select(row => row.AttemptId).Distinct().Count());
        Assert.Equal(["a1", "a3", "a5", "a7", "a9"], rows.Where(row => row.IsEstimated && row.Reason == "gateway_stopped").Select(row => row.AttemptId).Order());
    }

    /// <summary>Rows go on to the store, that makes room, and then the rest is settled.</summary>
    [Fact]
    public async Task Open_DiskIsFullOfAnEarlierRun_BeginsWithoutRoomAndGetsSome()
    {
        string image = _folder.File("image");
        using (LedgerSpool earlier = Open())
        {
            await earlier.SettleAsync(SampleEntries.Completed("a0"), ticket: null);
            await earlier.IntendAsync(SampleEntries.Completed("a1") with { IsEstimated = true }, out _);
            CopyTo(image);
        }

        FaultyDisk disk = new() { FilesLeft = 0 };
        using LedgerSpool spool = LedgerSpool.Open(Options() with { Folder = image }, TimeProvider.System, disk);
        SpoolReader reader = new(spool.Files);
        List<LedgerEntry> rows = [];
        Assert.Equal((1, true), (spool.Orphans, spool.IsFull));
        await Assert.ThrowsAsync<SpoolFullException>(async () => await spool.IntendAsync(SampleEntries.Completed("a2"), out _));
        reader.Read(rows, int.MaxValue);
        reader.Confirm();
        Assert.Equal("a0", Assert.Single(rows).AttemptId);

        disk.FilesLeft = 10;
        SpoolTicket place = await EventuallyAsync(spool, SampleEntries.Completed("a2"));
        await spool.SettleAsync(SampleEntries.Completed("a2"), place);
        rows.Clear();
        await EventuallyAsync(() =>
        {
            rows.Clear();
            reader.Read(rows, int.MaxValue);
            return Task.FromResult(rows.Count == 2);
        });
        reader.Confirm();

        Assert.Equal(["a1", "a2"], rows.Select(static row => row.AttemptId).Order());
        Assert.Equal((0L, false), (spool.Lost, spool.IsFull));
    }

    [Fact]
    public async Task Open_LastRecordCutOrDamagedAnywhere_KeepsAllBeforeIt()
    {
        using (LedgerSpool spool = Open())
        {
            for (int index = 0; index < 4; index++)
            {
                await spool.SettleAsync(SampleEntries.Completed(Id(index)), ticket: null);
            }
        }

        string file = Assert.Single(Directory.GetFiles(Folder, "*.spool"));
        byte[] whole = await File.ReadAllBytesAsync(file, Cancellation);
        int end = whole.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        int record = SpoolRecord.Write(SpoolRecordKind.Settle, SampleEntries.Completed(Id(3))).Length;
        int from = whole.Length;
        for (int at = SpoolSegment.HeadBytes, count = 0; count < 4; count++)
        {
            from = at;
            at += SpoolRecord.LengthAt(whole.AsSpan(at), 1);
        }

        Assert.Equal(record, SpoolRecord.LengthAt(whole.AsSpan(from), 1));
        for (int at = from; at < end; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x10;
            Assert.Equal(0, SpoolRecord.LengthAt(damaged.AsSpan(from), 1));
            Assert.Equal(0, SpoolRecord.LengthAt(whole.AsSpan(from, at - from), 1));
        }

        Assert.Equal(0, SpoolRecord.LengthAt(whole.AsSpan(from), 2));
        whole.AsSpan(from + 20, 10).Clear();
        await File.WriteAllBytesAsync(file, whole, Cancellation);
        Assert.Equal(["a0", "a1", "a2"], Reopen(out _).Select(row => row.AttemptId));
    }

    [Fact]
    public async Task SettleAsync_FlushFails_LeavesTheFileAloneAndKeepsTheGroupInTheNext()
    {
        FaultyDisk disk = new();
        List<Exception> told = [];
        using (LedgerSpool spool = Open(disk, onFault: told.Add))
        {
            await spool.SettleAsync(SampleEntries.Completed("a0"), ticket: null);
            disk.FlushesToFail = 1;
            Assert.True(await spool.SettleAsync(SampleEntries.Completed("a1"), ticket: null).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
            await spool.SettleAsync(SampleEntries.Completed("a2"), ticket: null);
            Assert.Single(told);
            Assert.Equal(1, disk.FlushesAfterFailure(1));
            Assert.Equal(2, Directory.GetFiles(Folder, "*.spool").Count(file => new FileInfo(file).Length > 0 && File.ReadAllBytes(file).AsSpan(SpoolSegment.HeadBytes).ContainsAnyExcept((byte)0)));
        }

        // Whether the disk has the refused group too nobody knows: the store tells a row by its id.
        Assert.Equal(["a0", "a1", "a2"], Reopen(out _).Select(row => row.AttemptId).Distinct());
    }

    [Fact]
    public async Task IntendAsync_DiskIsFull_IsRefusedWhileWhatRunsIsStillSettled_AndGoesOnByItself()
    {
        FaultyDisk disk = new() { FilesLeft = 1 };
        using LedgerSpool spool = Open(disk, first: 128 * 1024);
        List<(LedgerEntry Row, SpoolTicket Place)> running = [];
        for (int index = 0; index < 10_000; index++)
        {
            LedgerEntry row = SampleEntries.Completed(Id(index));
            try
            {
                Assert.True(await spool.IntendAsync(row, out SpoolTicket place));
                running.Add((row, place));
            }
            catch (SpoolFullException)
            {
                break;
            }
        }

        Assert.InRange(running.Count, 10, 9_999);
        await UntilAsync(() => spool.IsFull);
        foreach ((LedgerEntry row, SpoolTicket place) in running)
        {
            Assert.True(await spool.SettleAsync(row with { Losses = [new string('l', 400)] }, place).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        }

        disk.FilesLeft = 100;
        await UntilAsync(() => !spool.IsFull);
        Assert.True(await spool.IntendAsync(SampleEntries.Completed("late"), out SpoolTicket last));
        Assert.True(await spool.SettleAsync(SampleEntries.Completed("late"), last));
    }

    [Fact]
    public async Task IntendAsync_DiskTakesNothing_EndsInARefusalAndTheSettleStays()
    {
        FaultyDisk disk = new() { FilesLeft = 2 };
        SpoolTicket running;
        using (LedgerSpool spool = Open(disk))
        {
            await spool.IntendAsync(SampleEntries.Completed("a0"), out running);
            await UntilAsync(() => disk.FilesLeft == 0);
            disk.FlushesToFail = 1000;
            Task<bool> settling = spool.SettleAsync(SampleEntries.Completed("a0"), running).AsTask();
            Assert.False(await settling.WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
            disk.FlushesToFail = 0;
            disk.FilesLeft = 100;
            Assert.True(await EventuallyAsync(async () => await spool.IntendAsync(SampleEntries.Completed("a1"), out SpoolTicket place) && await spool.SettleAsync(SampleEntries.Completed("a1"), place)));
        }

        Assert.Equal(["a0", "a1"], Reopen(out int orphans).Select(row => row.AttemptId).Distinct().Order());
        Assert.Equal(0, orphans);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Everything_ManyAttemptsAtOnce_IsKeptExactlyOnceOverManyFiles(bool waitsForDisk)
    {
        const int callers = 32;
        const int each = 200;
        LedgerWriterTests.CountingStore store = new();
        using (LedgerSpool spool = Open(first: 64 * 1024, size: 128 * 1024, waitsForDisk: waitsForDisk))
        {
            await using LedgerWriter writer = new(store, spool, new LedgerWriterOptions { Linger = TimeSpan.FromMilliseconds(5) }, TimeProvider.System);
            await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(
                async () =>
                {
                    for (int index = 0; index < each; index++)
                    {
                        LedgerEntry row = SampleEntries.Completed(string.Create(CultureInfo.InvariantCulture, $"{caller}-{index}"));
                        SpoolTicket? place = await EventuallyAsync(spool, row);
                        if (index % 3 == 0)
                        {
                            spool.Settle(row, place);
                        }
                        else
                        {
                            await spool.SettleAsync(row, place);
                        }
                    }
                },
                Cancellation)));
            await writer.FlushAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            Assert.True(spool.Groups < callers * each, "no record shared a flush");
        }

        Assert.Equal(callers * each, store.Ids.Count);
        Assert.All(store.Ids, id => Assert.Equal(1, id.Value));
        Assert.Empty(Directory.GetFiles(Folder, "*.spool"));
    }

    [Fact]
    public async Task SettleAsync_FilesFillQuickly_HasSeveralAheadForWhenNoneCanBeMade()
    {
        // No time passes, so files are filled as quickly as can be.
        FaultyDisk disk = new();
        using LedgerSpool spool = LedgerSpool.Open(Options(64 * 1024, 64 * 1024, waitsForDisk: false), new FakeTimeProvider(), disk);
        void WaitForRoom(long bytes) => Assert.True(SpinWait.SpinUntil(() => spool.Files.Room >= bytes, TimeSpan.FromMinutes(1)), "files lie ahead");
        WaitForRoom(80 * 1024);
        await FillAsync(spool);
        WaitForRoom(5 * 50 * 1024);

        disk.FilesLeft = 0;
        for (int files = 0; files < 3; files++)
        {
            await FillAsync(spool);
        }
    }

    [Fact]
    public async Task Open_FolderIsAnothers_SaysSo()
    {
        using LedgerSpool first = Open();
        LedgerException fault = Assert.Throws<LedgerException>(() => LedgerSpool.Open(Options() with { LockWaitMax = TimeSpan.FromMilliseconds(200) }, TimeProvider.System));
        Assert.Contains(Folder, fault.Message, StringComparison.Ordinal);
        await Task.CompletedTask;
    }

    /// <summary>What a loss of power leaves: of what was not flushed any part, in any order, torn or not.</summary>
    [Theory]
    [InlineData(40)]
    public async Task Open_AfterAnyLossOfPower_HasEveryRowThatWasAcknowledged(int rounds)
    {
        rounds = Environment.GetEnvironmentVariable("BALLAST_LONG") == "1" ? 500 : rounds;
        for (int seed = 1; seed <= rounds; seed++)
        {
            string folder = _folder.File(string.Create(CultureInfo.InvariantCulture, $"power{seed}"));
            string image = folder + "-image";
            ForgetfulDisk disk = new(new Random(seed));
            HashSet<string> acknowledged = [];
            HashSet<string> intended = [];
            using (LedgerSpool spool = LedgerSpool.Open(Options(first: 8 * 1024, size: 64 * 1024) with { Folder = folder }, TimeProvider.System, disk))
            {
                Task[] callers = [.. Enumerable.Range(0, 6).Select(caller => Task.Run(
                    async () =>
                    {
                        for (int index = 0; index < 15; index++)
                        {
                            string id = string.Create(CultureInfo.InvariantCulture, $"{caller}-{index}");
                            LedgerEntry row = SampleEntries.Completed(id);
                            SpoolTicket? place = await EventuallyAsync(spool, row);
                            lock (intended)
                            {
                                intended.Add(id);
                            }

                            if (await spool.SettleAsync(row, place))
                            {
                                lock (acknowledged)
                                {
                                    acknowledged.Add(id);
                                }
                            }
                        }
                    },
                    Cancellation))];
                await disk.AfterWritesAsync(5 + (seed % 60));
                HashSet<string> known;
                HashSet<string> sent;
                lock (acknowledged)
                {
                    lock (intended)
                    {
                        known = [.. acknowledged];
                        sent = [.. intended];
                    }
                }

                disk.LosePower(folder, image);
                await Task.WhenAll(callers);
                List<LedgerEntry> rows = Reopen(out _, image);
                Assert.Empty(known.Except(rows.Select(row => row.AttemptId)));
                Assert.Empty(sent.Except(rows.Select(row => row.AttemptId)));
            }
        }
    }

    private static string Id(int index) => "a" + index.ToString(CultureInfo.InvariantCulture);

    private static Task UntilAsync(Func<bool> isSo) => EventuallyAsync(() => Task.FromResult(isSo()));

    private static async Task<bool> EventuallyAsync(Func<Task<bool>> isSo)
    {
        for (int look = 0; look < 3000; look++)
        {
            try
            {
                if (await isSo())
                {
                    return true;
                }
            }
            catch (SpoolFullException)
            {
                // Not yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        }

        throw new TimeoutException("It did not become so.");
    }

    /// <summary>An intent, as soon as there is room for it.</summary>
    private static async Task<SpoolTicket> EventuallyAsync(LedgerSpool spool, LedgerEntry row)
    {
        SpoolTicket? place = null;
        await EventuallyAsync(async () => await spool.IntendAsync(row, out place));
        return place!;
    }

    private SpoolOptions Options(int first = 256 * 1024, int size = 256 * 1024, bool waitsForDisk = true) => new()
    {
        Folder = Folder,
        FirstSegmentBytes = first,
        SegmentBytes = size,
        WaitsForDisk = waitsForDisk,
        RoomRetry = TimeSpan.FromMilliseconds(20),
        FaultWaitMax = TimeSpan.FromMilliseconds(300),
    };

    private LedgerSpool Open(SpoolDisk? disk = null, int first = 256 * 1024, int size = 256 * 1024, bool waitsForDisk = true, Action<Exception>? onFault = null) =>
        LedgerSpool.Open(Options(first, size, waitsForDisk), TimeProvider.System, disk, onFault);

    /// <summary>All rows that a start after this finds.</summary>
    private List<LedgerEntry> Reopen(out int orphans, string? folder = null)
    {
        using LedgerSpool spool = LedgerSpool.Open(Options() with { Folder = folder ?? Folder }, TimeProvider.System);
        orphans = spool.Orphans;
        spool.Stop();
        List<LedgerEntry> rows = [];
        new SpoolReader(spool.Files).Read(rows, int.MaxValue);
        return rows;
    }

    /// <summary>Attempts from their beginning to their end, until the next file is turned to.</summary>
    private static async Task FillAsync(LedgerSpool spool)
    {
        SpoolSegment current = spool.Files.Current;
        while (spool.Files.Current == current)
        {
            LedgerEntry row = SampleEntries.Completed(Guid.NewGuid().ToString("N"));
            Assert.True(await spool.IntendAsync(row, out SpoolTicket place));
            Assert.True(await spool.SettleAsync(row, place));
        }
    }

    private void CopyTo(string image)
    {
        Directory.CreateDirectory(image);
        foreach (string file in Directory.GetFiles(Folder, "*.spool"))
        {
            File.Copy(file, Path.Combine(image, Path.GetFileName(file)));
        }
    }
}
