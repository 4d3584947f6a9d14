namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>
/// Gateways for all tests that inject no faults of their own: one before platforms that answer at once, one before platforms at natural speed, and one before platforms
/// that fail where a prompt asks for it (<see cref="ErrorPlaces"/>).
/// </summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    private GatewayHost? _fast;
    private GatewayHost? _slow;
    private GatewayHost? _failing;

    public GatewayHost Fast => _fast ?? throw new InvalidOperationException("The fixture has not been started.");

    public GatewayHost Slow => _slow ?? throw new InvalidOperationException("The fixture has not been started.");

    public GatewayHost Failing => _failing ?? throw new InvalidOperationException("The fixture has not been started.");

    public async ValueTask InitializeAsync()
    {
        _fast = await GatewayHost.StartAsync(latencyScale: 0);
        _slow = await GatewayHost.StartAsync(latencyScale: 1);
        _failing = await GatewayHost.StartAsync(latencyScale: 0, isFailing: true);
    }

    public async ValueTask DisposeAsync()
    {
        await (_fast?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_slow?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_failing?.DisposeAsync() ?? ValueTask.CompletedTask);
    }
}
