using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>The program's spool lies on a disk of a few MiB that is filled, held full and freed again, by the system's own account of it, while requests go on.</summary>
public sealed class FullDiskTests
{
    private const int Callers = 96;
    private const string Body = """{"model":"openai/gpt-5-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, "disk")]
    [InlineData(2, "process")]
    public Task Disk_FillsIsFullAndIsFreed_NothingIsLostAndTrafficResumes(int mebibytes, string durability) => RunAsync(mebibytes, durability, cycles: 2);

    [LongTheory]
    [InlineData(4, "process")]
    [InlineData(8, "disk")]
    public Task Disk_LargerFillsOftener_NothingIsLostAndTrafficResumes(int mebibytes, string durability) => RunAsync(mebibytes, durability, cycles: 5);

    private static async Task RunAsync(int mebibytes, string durability, int cycles)
    {
        SmallDisk? mounted = null;
        await using CrashHouse house = await CrashHouse.OpenAsync(null, durability, "disk/spool", latencyScale: 0.1);
        mounted = await SmallDisk.TryMountAsync(house.OtherDisk, mebibytes * 1024);
        Assert.SkipWhen(mounted is null, "this machine lets nobody mount a file system (LedgerOutageTests fills a disk of its own making)");
        await using SmallDisk disk = mounted;
        house.StartedBy = disk.Entrance;
        List<double> refusals = [], resumptions = [];
        for (int cycle = 0; cycle < cycles; cycle++)
        {
            await using BallastProcess program = house.Start();
            using HttpClient client = await ClientOfAsync(program);
            using CancellationTokenSource full = new();
            Task filling = Task.Run(() => disk.FillAsync(full.Token), Cancellation);
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(() => FillAsync(house, client))));
            refusals.AddRange(await HoldAsync(house, client));
            Assert.False(program.HasExited, program.Errors);
            if (cycle % 2 == 0)
            {
                resumptions.Add(await ResumeAsync(house, client));
                program.Terminate();
                Assert.Equal(0, await program.WaitForExitAsync(BallastProcess.Patience));
                continue;
            }

            // A full disk is no reason to lose what a kill leaves behind, nor to stay away.
            await program.KillAsync();
            await using BallastProcess next = house.Start();
            using HttpClient again = await ClientOfAsync(next);
            resumptions.Add(await ResumeAsync(house, again));
            next.Terminate();
            Assert.Equal(0, await next.WaitForExitAsync(BallastProcess.Patience));

            async Task<double> ResumeAsync(CrashHouse house, HttpClient client)
            {
                await full.CancelAsync();
                await filling;
                disk.Free();
                long start = Stopwatch.GetTimestamp();
                while (!await AskAsync(house, client))
                {
                    Assert.True(Stopwatch.GetElapsedTime(start) < BallastProcess.Patience, $"it does not resume: {disk}");
                }

                return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
        }

        List<string> faults = await house.FaultsAsync();
        Assert.True(faults.Count == 0, $"{faults.Count} faults:\n{string.Join('\n', faults.Take(20))}");
        Assert.True(house.WholeAnswers.Count() > 100, "there was no load");
        refusals.Sort();
        TestContext.Current.SendDiagnosticMessage(
            $"{mebibytes} MiB, {durability}: {house.Bill.Rows.Count} billed, 0 lost; refused in {refusals[refusals.Count / 2]:0} ms (median), {refusals[^1]:0} ms at most; taken again after {string.Join(", ", resumptions.Select(static ms => $"{ms:0}"))} ms");
        Assert.True(refusals[refusals.Count / 2] < 1000, $"{refusals[refusals.Count / 2]} ms");
        Assert.True(resumptions.Min() < 5000, $"{resumptions.Min()} ms");
    }

    /// <summary>Asks until it is refused a few times in a row.</summary>
    private static async Task FillAsync(CrashHouse house, HttpClient client)
    {
        for (int refused = 0, asked = 0; refused < 2; asked++)
        {
            Assert.True(asked < 20_000, "a full disk refuses nothing");
            refused = await AskAsync(house, client) ? 0 : refused + 1;
        }
    }

    /// <summary>How long refusals take, one after the other, in milliseconds.</summary>
    private static async Task<List<double>> HoldAsync(CrashHouse house, HttpClient client)
    {
        List<double> took = [];
        for (int i = 0; i < 40; i++)
        {
            long start = Stopwatch.GetTimestamp();
            if (!await AskAsync(house, client))
            {
                took.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        Assert.True(took.Count >= 30, $"{40 - took.Count} of 40 requests were taken by a full disk");
        return took;
    }

    private static async Task<HttpClient> ClientOfAsync(BallastProcess program)
    {
        HttpClient client = new() { BaseAddress = new Uri(await program.FindInErrorsAsync("Serving on ", ",")), Timeout = BallastProcess.Patience };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", CrashHouse.Key);
        return client;
    }

    /// <summary>True where it was answered, to its last byte; false where it was refused as it should be. Anything else fails.</summary>
    private static async Task<bool> AskAsync(CrashHouse house, HttpClient client)
    {
        using StringContent content = new(Body, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await client.PostAsync("/v1/chat/completions", content, Cancellation);
        string answer = await response.Content.ReadAsStringAsync(Cancellation);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            Assert.Contains("[DONE]", answer, StringComparison.Ordinal);
            house.Remember(response);
            return true;
        }

        Assert.True(response.StatusCode == HttpStatusCode.ServiceUnavailable && answer.Contains("ballast_ledger_full", StringComparison.Ordinal), $"{response.StatusCode} {answer}");
        return false;
    }
}
