using System.Globalization;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Crashes;

/// <summary>Three gateways share a budget on one database; one is killed, or cut off from it, under load: the others go on, nothing is overspent, and the ledger is the bill in the end.</summary>
public sealed class ClusterCrashTests
{
    [Fact]
    public Task Kill_OneOfThree_LeavesItsPartSpentUntilItIsBack() => KillAsync(usd: 0.8m, kills: 2, seed: 1);

    [LongFact]
    public Task Kill_OneOfThreeAgainAndAgain_LeavesItsPartSpentUntilItIsBack() => KillAsync(usd: 3, kills: 20, Environment.TickCount);

    private static async Task KillAsync(decimal usd, int kills, int seed)
    {
        Random dice = new(seed);
        await using ClusterHouse house = await ClusterHouse.StartAsync(usd);
        for (int gateway = 0; gateway < ClusterHouse.Count; gateway++)
        {
            await house.ServedAsync(gateway, more: 3);
        }

        for (int kill = 0; kill < kills; kill++)
        {
            int dead = dice.Next(ClusterHouse.Count);
            await house.GoesOnAsync(dead, more: 1);
            await house.KillAsync(dead);
            for (int gateway = 0; gateway < ClusterHouse.Count; gateway++)
            {
                await (gateway == dead ? Task.CompletedTask : house.GoesOnAsync(gateway, more: 3));
            }

            Assert.InRange(await house.GivenOutAsync(), 0, usd);
            await house.BeginAsync(dead);
            await house.GoesOnAsync(dead, more: 3);
        }

        for (int gateway = 0; gateway < ClusterHouse.Count; gateway++)
        {
            await house.SpentAsync(gateway, 429);
        }

        await EndAsync(house, usd);
    }

    /// <summary>Bytes stop on one gateway's way to the database: it goes on with its part, the others with theirs; healed, all is told once.</summary>
    [LongFact]
    public async Task Cut_OneGatewayFromTheDatabase_GoesOnWithinItsPartAndHeals()
    {
        const decimal usd = 5;
        await using ClusterHouse house = await ClusterHouse.StartAsync(usd);
        for (int gateway = 0; gateway < ClusterHouse.Count; gateway++)
        {
            await house.ServedAsync(gateway, more: 20);
        }

        for (int round = 0; round < 2; round++)
        {
            await house.AheadAsync(0.3m);
            house.Cut(0);
            for (int gateway = 0; gateway < ClusterHouse.Count; gateway++)
            {
                await house.ServedAsync(gateway, more: 60);
            }

            Assert.InRange(await house.GivenOutAsync(), 0, usd);
            house.Heal(0);
            await house.ServedAsync(0, more: 20);
        }

        // What one does without a word from the database it does for as long as its part lasts: nobody is told that something failed.
        Assert.DoesNotContain(house.Answers, static answer => answer.Status is not (200 or 429 or 503));
        Assert.True(house.Answers.Count(static answer => answer.Status != 200) * 20 < house.Answers.Count, "too many were refused");
        await EndAsync(house, usd);
    }

    /// <summary>Cut off, it gives out what it holds and no more, while the others give out all the rest.</summary>
    [Fact]
    public async Task Cut_OneGatewayUntilAllIsSpent_NothingIsOverspent()
    {
        const decimal usd = 0.4m;
        await using ClusterHouse house = await ClusterHouse.StartAsync(usd);
        await house.AheadAsync(0.02m);
        house.Cut(0);
        await house.SpentAsync(0, 503);
        await house.SpentAsync(1, 429);
        await house.SpentAsync(2, 429);
        house.Heal(0);
        await house.SpentAsync(0, 429);
        await EndAsync(house, usd);
    }

    private static async Task EndAsync(ClusterHouse house, decimal usd)
    {
        (List<string> faults, IReadOnlyList<LedgerEntry> rows, decimal billed) = await house.EndAsync();
        decimal told = rows.Sum(static row => row.CostUsd ?? 0);
        TestContext.Current.SendDiagnosticMessage(string.Create(
            CultureInfo.InvariantCulture,
            $"{house.WholeAnswers} whole answers, {rows.Count} rows, {rows.Count(static row => row.Reason == "gateway_stopped")} orphans, {billed} billed and {told} told of {usd}, {faults.Count} faults"));
        Assert.True(faults.Count == 0, string.Join('\n', faults.Take(20)));
        Assert.True(billed <= told && told <= usd, $"billed {billed}, told {told} of {usd}");
        Assert.True(house.WholeAnswers > 50, "there was no load");
    }
}
