using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>
/// Two sandboxes for all tests that inject no faults of their own: one that answers at once, and fails where a prompt asks for it (<see cref="ErrorPlaces"/>), and one at
/// natural speed for answers that are to be hung up on.
/// </summary>
public sealed class SandboxFixture : IAsyncLifetime
{
    /// <summary>A client that hangs up ends the platform's work within this time.</summary>
    public static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(10);

    private SandboxHost? _fast;
    private SandboxHost? _slow;

    public SandboxHost Fast => _fast ?? throw new InvalidOperationException("The fixture has not been started.");

    public SandboxHost Slow => _slow ?? throw new InvalidOperationException("The fixture has not been started.");

    public async ValueTask InitializeAsync()
    {
        _fast = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 0 }, TestContext.Current.CancellationToken);
        ErrorPlaces.AddTo(_fast.Faults);
        _slow = await SandboxHost.StartAsync(new SandboxOptions { BasePort = 0, LatencyScale = 1 }, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await (_fast?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_slow?.DisposeAsync() ?? ValueTask.CompletedTask);
    }
}
