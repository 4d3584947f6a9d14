using System.Diagnostics;
using Ballast.EndToEnd.Tests.Faults;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Ledger.Spool;
using Ballast.Sandbox;
using Ballast.Tests.Ledger;
using Microsoft.Win32.SafeHandles;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>The ledger's disk is full, its database is away or hangs: what becomes of requests meanwhile, and of their rows after it.</summary>
public sealed class LedgerOutageTests
{
    private static readonly (string, string[])[] s_models = [("m", ["openai/m=gpt-5-mini"])];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disk_IsFull_RequestsAreRefusedInTheirProtocol_AndTakenAgainByThemselves()
    {
        CrowdedDisk disk = new();
        await using FaultGateway gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Models = s_models,
            Server = setup => setup with { SpoolDisk = disk, Spool = setup.Spool with { FirstSegmentBytes = 32 * 1024, SegmentBytes = 64 * 1024 } },
        });
        int answered = 0;
        int refusals = 0;
        ClientAnswer answer;
        disk.IsFull = true;
        while (true)
        {
            answer = await gateway.AskAsync(Caller.OpenAI, "m", stream: answered % 2 == 0);
            if (answer.Status != 200)
            {
                // A file that was being made when the disk became full may still come.
                if (++refusals == 4)
                {
                    break;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, Cancellation);
                continue;
            }

            refusals = 0;
            Assert.True(++answered < 1000, "a full disk refuses nothing");
        }

        foreach (Caller caller in Caller.All)
        {
            foreach (bool stream in (bool[])[true, false])
            {
                long start = Stopwatch.GetTimestamp();
                ClientAnswer refused = await gateway.AskAsync(caller, "m", stream);
                Assert.True(refused is { Status: 503, ErrorCode: "ballast_ledger_full" } && refused.ErrorId == refused.Id, refused.ToString());
                Assert.Contains("disk", refused.Body, StringComparison.Ordinal);
            }
        }

        int billed = gateway.Sandbox.Billing.Rows.Count;
        Assert.Equal(answered, billed);
        disk.IsFull = false;
        Assert.True(await GatewayHost.UntilAsync(async () => (await gateway.AskAsync(Caller.Anthropic, "m", stream: true)).Status == 200, TimeSpan.FromSeconds(30)));
        await gateway.ReconcileAsync();
    }

    [Fact]
    public async Task Database_IsStoppedHangsAndReturns_NoRequestFails_AndEveryRowArrivesOnce()
    {
        await using PostgresServer postgres = await PostgresServer.StartNewAsync();
        string connection = await postgres.NewDatabaseAsync();
        await postgres.StopAsync();

        // It starts without its database.
        await using FaultGateway gateway = await FaultGateway.StartAsync(new FaultSetup
        {
            Models = s_models,
            Server = setup => setup with { LedgerConnection = connection },
        });
        await AskManyAsync(gateway, 40);
        Assert.Equal(0, gateway.Server.Ledger.Written);

        await postgres.StartAsync();
        await gateway.Server.Ledger.FlushAsync(Cancellation).WaitAsync(BallastProcess.Patience, Cancellation);
        await AskManyAsync(gateway, 20);

        await postgres.HangAsync();
        await AskManyAsync(gateway, 40);
        await postgres.GoOnAsync();
        await gateway.Server.Ledger.FlushAsync(Cancellation).WaitAsync(BallastProcess.Patience, Cancellation);

        await postgres.StopAsync();
        await AskManyAsync(gateway, 40);
        await postgres.StartAsync();
        await gateway.Server.Ledger.FlushAsync(Cancellation).WaitAsync(BallastProcess.Patience, Cancellation);

        await gateway.Sandbox.Billing.FlushAsync();
        IReadOnlyList<LedgerEntry> rows = await LedgerReader.OfPostgres(connection).EntriesAsync(LedgerFilter.Everything, 100_000, Cancellation);
        Dictionary<string, BillingRow> bill = gateway.Sandbox.Billing.Rows.ToDictionary(row => row.ClientRequestId!);
        Assert.Equal(140, rows.Count);
        Assert.Equal(bill.Keys.Order(), rows.Select(row => row.AttemptId).Order());
        Assert.All(rows, row => Assert.Equal((bill[row.AttemptId].OutputTokens, false), (row.OutputTokens, row.IsEstimated)));
    }

    private static async Task AskManyAsync(FaultGateway gateway, int count)
    {
        ClientAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, count).Select(index => gateway.AskAsync(Caller.All[index % 2], "m", stream: index % 3 == 0)));
        Assert.All(answers, answer => Assert.True(answer.Status == 200 && answer.IsComplete, answer.ToString()));
    }

    /// <summary>The real disk, on which no further file finds room for a while.</summary>
    private sealed class CrowdedDisk : SpoolDisk
    {
        private volatile bool _isFull;

        public bool IsFull { get => _isFull; set => _isFull = value; }

        public override SafeFileHandle Create(string path, int length) => IsFull ? throw new IOException("No space left on device") : base.Create(path, length);
    }
}
