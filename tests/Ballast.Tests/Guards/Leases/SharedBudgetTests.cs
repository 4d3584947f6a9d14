using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Guards;
using Ballast.Guards.Leases;
using Ballast.Tenancy;
using Ballast.Tests.Ledger;

namespace Ballast.Tests.Guards.Leases;

/// <summary>A budget of several gateways on a real database: whatever becomes of them and of their way to it, all of them together never exceed it.</summary>
public sealed class SharedBudgetTests(PostgresFixture postgres)
{
    private const decimal Limit = 12m;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Reserve_CrashesCutsAndLostAnswers_NeverExceedTheBudget(int seed) => RunAsync(seed, steps: 400, Limit);

    [LongFact]
    public async Task Reserve_ManyCrashesCutsAndLostAnswers_NeverExceedTheBudget()
    {
        for (int round = 0; round < 30; round++)
        {
            await RunAsync(Environment.TickCount + round, steps: 2000, 5 * Limit);
        }
    }

    /// <param name="seed">Of all that is left to chance.</param>
    /// <param name="steps">How much happens.</param>
    /// <param name="limit">As much for each step: one that is used up early would be tried by nothing more.</param>
    private async Task RunAsync(int seed, int steps, decimal limit)
    {
        await using LeaseHouse house = new(await postgres.NewDatabaseAsync(), meters => Fill(meters, limit));
        for (int i = 0; i < 3; i++)
        {
            await house.Add().ShareAsync();
        }

        Random random = new(seed);
        List<decimal>[] running = [[], [], []];
        decimal spent = 0;
        int taken = 0;
        for (int step = 0; step < steps; step++)
        {
            int number = random.Next(3);
            LeaseGateway gateway = house.Gateways[number];
            BudgetMeter budget = gateway.Meters.Budget("b")!;
            switch (random.Next(20))
            {
                case < 9:
                    decimal amount = random.Next(1, 120) / 100m;
                    BudgetVerdict verdict = budget.Reserve(amount, house.Time.GetUtcNow().UtcTicks);
                    if (verdict == BudgetVerdict.Short)
                    {
                        await gateway.ShareAsync();
                        verdict = budget.Reserve(amount, house.Time.GetUtcNow().UtcTicks);
                    }

                    if (verdict == BudgetVerdict.Taken)
                    {
                        running[number].Add(amount);
                        taken++;
                    }

                    break;
                case < 15 when running[number].Count > 0:
                    decimal reserved = running[number][0];
                    running[number].RemoveAt(0);
                    decimal cost = Math.Round(reserved * random.Next(0, 101) / 100m, 6);
                    budget.Settle(reserved, cost, house.Time.GetUtcNow().UtcTicks);
                    spent += cost;
                    break;
                case 15:
                    await house.CrashAsync(number);
                    spent += running[number].Sum(); // as in the ledger: what ran has cost what it may have cost
                    running[number].Clear();
                    break;
                case 16:
                    gateway.Store.IsAway ^= true;
                    break;
                case 17:
                    gateway.Store.LosesAnswers ^= true;
                    break;
                default:
                    house.Time.Advance(TimeSpan.FromSeconds(random.Next(1, 4)));
                    await gateway.ShareAsync();
                    break;
            }

            decimal held = spent + running.Sum(static one => one.Sum());
            Assert.True(held <= limit, $"{held} of {limit} at step {step}, seed {seed}");
        }

        Assert.True(taken > steps / 20, $"{taken} taken");
        await LeaveAsync(house, running, limit);
        Assert.All(house.Gateways, static gateway => Assert.DoesNotContain(gateway.Failures, static failure => failure is not TenancyStoreException));
    }

    /// <summary>Once nothing runs any more, whatever is left can be had at any one of them, to the last cent.</summary>
    private static async Task LeaveAsync(LeaseHouse house, List<decimal>[] running, decimal limit)
    {
        for (int i = 0; i < 3; i++)
        {
            house.Gateways[i].Store.IsAway = house.Gateways[i].Store.LosesAnswers = false;
            foreach (decimal reserved in running[i])
            {
                house.Gateways[i].Meters.Budget("b")!.Settle(reserved, 0, house.Time.GetUtcNow().UtcTicks);
            }
        }

        house.Time.Advance(TimeSpan.FromMinutes(20)); // idle for so long
        for (int round = 0; round < 2; round++)
        {
            foreach (LeaseGateway gateway in house.Gateways)
            {
                await gateway.ShareAsync();
            }
        }

        BudgetMeter last = house.Gateways[2].Meters.Budget("b")!;
        (decimal spent, decimal reservedLeft, _) = last.Standing;
        Assert.Equal(0, reservedLeft);
        decimal left = limit - spent;
        if (last.Reserve(left, house.Time.GetUtcNow().UtcTicks) != BudgetVerdict.Taken)
        {
            await house.Gateways[2].ShareAsync();
            Assert.Equal(BudgetVerdict.Taken, last.Reserve(left, house.Time.GetUtcNow().UtcTicks));
        }

        await house.Gateways[2].ShareAsync();
        await house.Gateways[0].ShareAsync();
        Assert.NotEqual(BudgetVerdict.Taken, house.Gateways[0].Meters.Budget("b")!.Reserve(0.01m, house.Time.GetUtcNow().UtcTicks));
    }

    [Fact]
    public async Task Seed_SaidBySeveral_CountsOnce()
    {
        await using LeaseHouse house = new(await postgres.NewDatabaseAsync(), Fill);
        LeaseGateway one = house.Add();
        await one.ShareAsync();
        string sheet = $"b|app/tests|usd|20261101000000-20261201000000";
        await one.Store.SeedAsync(sheet, 50, Cancellation); // the keeper has said 0 before
        await one.ShareAsync();
        Assert.Equal(0, one.Meters.Budget("b")!.Standing.Spent);
    }

    [Fact]
    public async Task TryTell_SeveralGateways_OneTells()
    {
        await using LeaseHouse house = new(await postgres.NewDatabaseAsync(), Fill);
        bool[] tells = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => house.Add().Keeper.TryTellAsync("b|50")));
        Assert.Single(tells, static one => one);
    }

    /// <summary>A word that was held up on its way and comes after a later one of the same gateway would take back what that one was given.</summary>
    [Fact]
    public async Task Share_WordOfAnEarlierConnection_IsNotHeard()
    {
        string connection = await postgres.NewDatabaseAsync();
        await using LeaseHouse house = new(connection, Fill);
        LeaseGateway gateway = house.Add();
        await gateway.ShareAsync();
        await using Npgsql.NpgsqlConnection late = new(connection);
        await late.OpenAsync(Cancellation);
        await using Npgsql.NpgsqlCommand command = new("SELECT ballast_lease_turn($1, 1, interval '16 minutes')", late);
        command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = gateway.File.Gateway });

        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => command.ExecuteNonQueryAsync(Cancellation));
    }

    private static void Fill(MeterBook meters) => Fill(meters, Limit);

    private static void Fill(MeterBook meters, decimal limit)
    {
        LoadResult loaded = OptionsLoader.Load(
            $$"""
            providers:
              local: { kind: ollama, base_url: "http://127.0.0.1:9", platform: local, region: here, allow_private_addresses: true, data: { geo: eu, retention_days: 0, training: false }, deployments: { m: { vendor: meta } } }
            keys: { k: { key_env: KEY, app: tests } }
            budgets: { b: { app: tests, usd: {{limit}} } }
            """,
            "shared.yaml", static _ => "a-key-of-the-shared-budget");
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(static fault => fault.Print("shared.yaml"))));
        meters.Take(TenantView.Of(CatalogBuilder.Build(loaded.Options, 1), StoredState.Empty));
    }
}
