using Ballast.Exchanges;
using Ballast.Gateway.Signals;
using Ballast.Protocols;
using Ballast.Tests.Tenancy;

namespace Ballast.Tests.Gateway;

public sealed class ExchangeTracerTests : IAsyncLifetime
{
    private TenantHouse _house = null!;

    public async ValueTask InitializeAsync() => _house = await TenantHouse.OpenAsync();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    /// <summary>Where nothing is traced, nothing of it costs anything.</summary>
    [Fact]
    public void BeginAndEnd_NothingIsTraced_AllocateNothing()
    {
        ExchangeTracer tracer = new(source: null);
        Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _house.Catalog.Current, TimeProvider.System);
        long least = long.MaxValue;
        for (int round = 0; round < 20 && least != 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                tracer.Begin(exchange, null!);
                ExchangeTracer.End(exchange, null!, null);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.Null(exchange.Trace);
    }
}
