using System.Collections.Concurrent;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>The program is killed between the phases of a request with an <c>Idempotency-Key</c>: what is repeated is never sent a second time.</summary>
public sealed class IdempotencyCrashTests
{
    /// <param name="place">Where it is killed.</param>
    /// <param name="isKept">The answer was on the disk by then.</param>
    /// <param name="calls">Of the platform.</param>
    [Theory]
    [InlineData("idempotency.begun:1", false, 0)]
    [InlineData("intent.kept:1", false, 0)]
    [InlineData("answer.settled:1", false, 1)]
    [InlineData("idempotency.kept:1", true, 1)]
    public async Task Kill_BetweenThePhases_NeverLeadsToASecondCall(string place, bool isKept, int calls)
    {
        await using CrashHouse house = await CrashHouse.OpenAsync(connection: null, "disk");
        await using (BallastProcess program = house.Start(place))
        {
            Assert.Null(await CrashHouse.AskAsync(await AddressAsync(program), "k"));
        }

        for (int start = 0; start < 2; start++)
        {
            await using BallastProcess program = house.Start();
            Uri address = await AddressAsync(program);
            (int Status, bool IsReplayed, string Body) answer = (await CrashHouse.AskAsync(address, "k"))!.Value;

            Assert.Equal((isKept ? 200 : 409, isKept), (answer.Status, answer.IsReplayed));
            Assert.Contains(isKept ? "[DONE]" : "ballast_idempotency_in_doubt", answer.Body, StringComparison.Ordinal);
            Assert.Equal(calls + start, house.Bill.Rows.Count);
            Assert.Equal(200, (await CrashHouse.AskAsync(address, $"another {start}".Replace(' ', '-')))!.Value.Status);
        }
    }

    [Fact]
    public Task Kill_UnderLoad_OneCallForEachKey() => RunAsync(kills: 4, seed: 7);

    [LongFact]
    public Task Kill_HundredTimes_OneCallForEachKey() => RunAsync(kills: 100, seed: Environment.TickCount);

    private static async Task RunAsync(int kills, int seed)
    {
        const int KeysEach = 60;
        Random dice = new(seed);
        await using CrashHouse house = await CrashHouse.OpenAsync(connection: null, "disk");
        ConcurrentDictionary<string, string> answers = new(StringComparer.Ordinal);
        int inDoubt = 0;
        for (int kill = 0; kill <= kills; kill++)
        {
            await using BallastProcess program = house.Start();
            Uri address = await AddressAsync(program);
            Task load = Parallel.ForAsync(0, KeysEach * 4, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
            {
                // Keys of this start and of the one before, each several times.
                string key = $"k{kill - (number % 4 == 3 ? 1 : 0)}-{number / 4}";
                if (await CrashHouse.AskAsync(address, key) is { } answer)
                {
                    Assert.Contains(answer.Status, (int[])[200, 409]);
                    Interlocked.Add(ref inDoubt, answer.Body.Contains("in_doubt", StringComparison.Ordinal) ? 1 : 0);
                    Assert.True(answer.Status != 200 || answers.GetOrAdd(key, answer.Body) == answer.Body, $"seed {seed}: {key} has two answers");
                }
            });
            if (kill < kills)
            {
                int wanted = answers.Count + dice.Next(5, KeysEach / 2);
                await GatewayHost.UntilAsync(() => Task.FromResult(answers.Count >= wanted || load.IsCompleted), BallastProcess.Patience);
                await program.KillAsync();
            }

            await load;
        }

        // A second call under a key would have taken the place of the first one's exchange.
        await house.Bill.FlushAsync();
        HashSet<string> kept = KeptExchanges.In(house.IdempotencyFile);
        Assert.DoesNotContain(house.Bill.Rows, row => !kept.Contains(KeptExchanges.Of(row)));
        Assert.Equal(house.Bill.Rows.Count, house.Bill.Rows.Select(static row => row.ClientRequestId).Distinct().Count());
        Assert.True(house.Bill.Rows.Count >= answers.Count);
        Assert.True(inDoubt > 0 || kills < 4, $"seed {seed}: nothing was ever in doubt");
        TestContext.Current.SendDiagnosticMessage($"{kills} kills, {answers.Count} keys answered, {house.Bill.Rows.Count} calls, {inDoubt} times in doubt");
    }

    private static async Task<Uri> AddressAsync(BallastProcess program) => new(await program.FindInErrorsAsync("Serving on ", ","));
}
