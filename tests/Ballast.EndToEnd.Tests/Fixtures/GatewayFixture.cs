namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>Two gateways for all tests that inject no faults: one before platforms that answer at once, one before platforms at natural speed.</summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    private GatewayHost? _fast;
    private GatewayHost? _slow;

    public GatewayHost Fast => _fast ?? throw new InvalidOperationException("The fixture has not been started.");

    public GatewayHost Slow => _slow ?? throw new InvalidOperationException("The fixture has not been started.");

    public async ValueTask InitializeAsync()
    {
        _fast = await GatewayHost.StartAsync(latencyScale: 0);
        _slow = await GatewayHost.StartAsync(latencyScale: 1);
    }

    public async ValueTask DisposeAsync()
    {
        await (_fast?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_slow?.DisposeAsync() ?? ValueTask.CompletedTask);
    }
}
