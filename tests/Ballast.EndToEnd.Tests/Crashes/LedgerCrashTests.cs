using System.Globalization;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Tests.Ledger;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>The program is killed under load, at random and at named places, and started again: no attempt is lost, none stands twice, row by row against the bill.</summary>
public sealed class LedgerCrashTests
{
    /// <summary>Places in the order of a row's way, each with how often it is passed before the kill. A third kill of each round comes at random.</summary>
    private static readonly string[] s_places =
    [
        "intent.appended:40", "recovery.orphans:1", "commit.written:30", "apply.inserted:2", "settle.appended:60", "recovery.scanned:1", "intent.kept:50", "apply.committed:2",
        "commit.flushed:25", "segment.delete:1", "answer.settled:30", "apply.begin:3",
    ];

    [Fact]
    public Task Kill_AnywhereUnderLoad_LosesNothingAndDoublesNothing_Sqlite() => RunAsync(connection: null, kills: 10, seed: 1);

    [Fact]
    public async Task Kill_AnywhereUnderLoad_LosesNothingAndDoublesNothing_Postgres()
    {
        await using PostgresServer postgres = await PostgresServer.StartNewAsync();
        await RunAsync(await postgres.NewDatabaseAsync(), kills: 10, seed: 2);
    }

    /// <summary>Nothing is flushed here: what a killed process has put into memory that it shares with the system must be enough.</summary>
    [Fact]
    public Task Kill_AnywhereUnderLoad_LosesNothingAndDoublesNothing_WithoutWaitingForTheDisk() => RunAsync(connection: null, kills: 10, seed: 3, "process");

    [LongFact]
    public Task Kill_HundredsOfTimes_LosesNothingAndDoublesNothing_Sqlite() => RunAsync(connection: null, kills: 250, seed: Environment.TickCount);

    [LongFact]
    public async Task Kill_HundredsOfTimes_LosesNothingAndDoublesNothing_Postgres()
    {
        await using PostgresServer postgres = await PostgresServer.StartNewAsync();
        await RunAsync(await postgres.NewDatabaseAsync(), kills: 250, seed: Environment.TickCount);
    }

    private static async Task RunAsync(string? connection, int kills, int seed, string durability = "disk")
    {
        Random dice = new(seed);
        await using CrashHouse house = await CrashHouse.OpenAsync(connection, durability);
        for (int kill = 0; kill < kills; kill++)
        {
            string? place = kill % 3 == 2 ? null : s_places[(kill * 2 / 3) % s_places.Length];
            await using BallastProcess program = house.Start(place);
            using CancellationTokenSource until = new();
            Task load = house.LoadAsync(program, until.Token);
            if (place is null)
            {
                int before = house.WholeAnswers.Count();
                int wanted = dice.Next(1, 120);
                await GatewayHost.UntilAsync(() => Task.FromResult(house.WholeAnswers.Count() >= before + wanted || load.IsCompleted), BallastProcess.Patience);
                await program.KillAsync();
            }
            else
            {
                // A place that is not passed, since nothing was left to do there, is no failure: the kill comes a little later.
                await GatewayHost.UntilAsync(() => Task.FromResult(program.HasExited), TimeSpan.FromSeconds(2));
                await program.KillAsync();
            }

            await until.CancelAsync();
            await load;
        }

        await using (BallastProcess last = house.Start())
        {
            await last.FindInErrorsAsync("Serving on ", ",");
            last.Terminate();
            Assert.Equal(0, await last.WaitForExitAsync(BallastProcess.Patience));
        }

        Assert.Empty(Directory.GetFiles(house.SpoolFolder, "*.spool"));
        List<string> faults = await house.FaultsAsync();
        Assert.True(faults.Count == 0, string.Create(CultureInfo.InvariantCulture, $"seed {seed}, {faults.Count} faults:\n{string.Join('\n', faults.Take(20))}"));
        IReadOnlyList<LedgerEntry> rows = await house.Ledger.EntriesAsync(LedgerFilter.Everything, int.MaxValue, TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage($"{kills} kills, {rows.Count} rows, {rows.Count(row => row.Reason == "gateway_stopped")} orphans, {house.WholeAnswers.Count()} whole answers");
        Assert.Contains(rows, row => row.Reason == "gateway_stopped");
        Assert.True(house.WholeAnswers.Count() > kills * 5);
    }
}
