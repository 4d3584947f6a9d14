using Ballast.Exchanges;

namespace Ballast.Tests.Exchanges;

public class ExchangeIdTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Fact]
    public void Make_AnyTime_IsAVersion7UuidOfIt()
    {
        string id = ExchangeId.Make(Now);

        Assert.StartsWith("req_", id, StringComparison.Ordinal);
        Guid uuid = Guid.ParseExact(id["req_".Length..], "N");
        Assert.Equal(7, uuid.Version);
        Assert.InRange(uuid.Variant, 8, 11);
        Assert.Equal(Now.ToUnixTimeMilliseconds(), Convert.ToInt64(id[4..16], 16));
    }

    [Fact]
    public void Make_ManyAtOnceOnManyThreads_NeverRepeats()
    {
        const int threads = 4;
        const int each = 5_000; // more than one stock
        string[][] ids = new string[threads][];
        Parallel.For(0, threads, i => ids[i] = [.. Enumerable.Range(0, each).Select(_ => ExchangeId.Make(Now))]);

        Assert.Equal(threads * each, ids.SelectMany(static one => one).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Make_LaterTime_SortsLater() =>
        Assert.True(string.CompareOrdinal(ExchangeId.Make(Now), ExchangeId.Make(Now.AddMilliseconds(1))) < 0);
}
