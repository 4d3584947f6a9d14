using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Protocols;
using Ballast.Tests.Routing;
using Ballast.Tests.Transport;
using Ballast.Transport;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Gateway;

/// <summary>The clocks of attempts that follow each other on one event loop, and share what they can.</summary>
public sealed class AttemptTimerTests : IDisposable
{
    private static readonly LimitsOptions s_limits = new()
    {
        FirstTokenTimeout = TimeSpan.FromSeconds(10),
        IdleTimeout = TimeSpan.FromSeconds(5),
        TotalTimeout = TimeSpan.FromSeconds(60),
    };

    private readonly FakeTimeProvider _time = new();
    private readonly EventLoop _loop = new(TimeProvider.System);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task Attempt_AfterOneThatEndedInTime_HasItsTimerAndItsOwnLimits()
    {
        AttemptTimer first = await StartAsync();
        await EndAsync(first);
        _time.Advance(TimeSpan.FromSeconds(6));

        AttemptTimer second = await StartAsync();
        Assert.Same(first, second);

        // The first one's limit is over: the timer fires, and finds that this attempt has time left.
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(second.Token.IsCancellationRequested);

        _time.Advance(TimeSpan.FromSeconds(5.1));
        Assert.True(second.Token.IsCancellationRequested);
        Assert.Equal(GatewayError.FirstTokenTimeout, second.Verdict);
        await EndAsync(second);
    }

    [Fact]
    public async Task Attempt_AfterTheTimerFiredForNobody_IsWatched()
    {
        AttemptTimer first = await StartAsync();
        await EndAsync(first);
        _time.Advance(TimeSpan.FromSeconds(30));

        AttemptTimer second = await StartAsync();
        Assert.Same(first, second);
        _time.Advance(TimeSpan.FromSeconds(10.1));

        Assert.True(second.Token.IsCancellationRequested);
        await EndAsync(second);
    }

    [Fact]
    public async Task Limit_NearerThanTheOneWoundFor_IsKept()
    {
        AttemptTimer timer = await StartAsync();
        timer.Begin();
        _time.Advance(TimeSpan.FromSeconds(4));
        timer.Alive();
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(timer.Token.IsCancellationRequested);

        _time.Advance(TimeSpan.FromSeconds(1.1));

        Assert.True(timer.Token.IsCancellationRequested);
        Assert.Equal(GatewayError.IdleTimeout, timer.Verdict);
        await EndAsync(timer);
    }

    [Fact]
    public async Task Timer_WhoseLimitRanOut_IsNotUsedAgain()
    {
        AttemptTimer first = await StartAsync();
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(first.Token.IsCancellationRequested);
        await EndAsync(first);

        AttemptTimer second = await StartAsync();

        Assert.NotSame(first, second);
        Assert.False(second.Token.IsCancellationRequested);
        await EndAsync(second);
    }

    [Fact]
    public async Task Timer_WhoseClientWentAway_IsNotUsedAgain()
    {
        using CancellationTokenSource client = new();
        AttemptTimer first = await StartAsync(client);
        await client.CancelAsync();
        Assert.True(first.Token.IsCancellationRequested);
        await EndAsync(first);

        AttemptTimer second = await StartAsync();

        Assert.NotSame(first, second);
        Assert.False(second.Token.IsCancellationRequested);
        await EndAsync(second);
    }

    [Fact]
    public async Task Client_OfAnEarlierAttempt_EndsNoLaterOne()
    {
        using CancellationTokenSource client = new();
        AttemptTimer first = await StartAsync(client);
        await EndAsync(first);
        AttemptTimer second = await StartAsync();
        Assert.Same(first, second);

        await client.CancelAsync();

        Assert.False(second.Token.IsCancellationRequested);
        await EndAsync(second);
    }

    private Task<AttemptTimer> StartAsync(CancellationTokenSource? client = null) =>
        _loop.DoAsync(() => AttemptTimer.Start(new Exchange(ProtocolList.OpenAIChat, Operation.Chat, Deployments.Catalog(s_limits), _time), client?.Token ?? CancellationToken.None));

    private Task EndAsync(AttemptTimer timer) => _loop.DoAsync(() =>
    {
        timer.Dispose();
        return true;
    });
}
