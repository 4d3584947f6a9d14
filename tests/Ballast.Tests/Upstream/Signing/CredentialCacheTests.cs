using Ballast.Upstream.Signing;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Upstream.Signing;

/// <summary>Tokens in virtual time: an hour passes when the test says so.</summary>
public sealed class CredentialCacheTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();
    private readonly TestSource _source = new();
    private readonly List<CredentialsUnavailableException> _reported = [];

    private int _failures;

    private CredentialCache NewCache() => new(_source, _time, failure =>
    {
        _reported.Add(failure);
        Interlocked.Increment(ref _failures);
    });

    [Fact]
    public async Task GetAsync_WhileGood_GivesTheSameWithoutWaiting()
    {
        CredentialCache cache = NewCache();
        _source.Give(Hour);
        Credential first = await cache.GetAsync(Timeout, Token);

        _time.Advance(TimeSpan.FromMinutes(44));
        ValueTask<Credential> second = cache.GetAsync(Timeout, Token);

        Assert.True(second.IsCompletedSuccessfully);
        Assert.Same(first, await second);
        Assert.Equal(1, _source.Calls);
    }

    [Fact]
    public async Task GetAsync_LateInItsLife_RenewsBesideTheRequest()
    {
        CredentialCache cache = NewCache();
        _source.Give(Hour);
        Credential first = await cache.GetAsync(Timeout, Token);

        _time.Advance(TimeSpan.FromMinutes(46));
        TaskCompletionSource<Credential> renewal = _source.Hold();
        ValueTask<Credential> during = cache.GetAsync(Timeout, Token);
        Assert.True(during.IsCompletedSuccessfully, "a request waits for a renewal while a good token stands");
        Assert.Same(first, await during);
        await _source.WaitForCallsAsync(2);
        Assert.Same(first, await cache.GetAsync(Timeout, Token));
        BearerToken next = new("next", Hour);
        renewal.SetResult(next);

        await UntilAsync(async () => ReferenceEquals(await cache.GetAsync(Timeout, Token), next));
        Assert.Equal(2, _source.Calls);
    }

    [Fact]
    public async Task GetAsync_ManyAtOnceWithoutAny_FetchesOnce()
    {
        CredentialCache cache = NewCache();
        TaskCompletionSource<Credential> fetch = _source.Hold();
        Task<Credential>[] waiting = [.. Enumerable.Range(0, 64).Select(_ => Task.Run(() => cache.GetAsync(Timeout, Token).AsTask(), Token))];
        await _source.WaitForCallsAsync(1);
        BearerToken token = new("one", Hour);
        fetch.SetResult(token);

        Credential[] got = await Task.WhenAll(waiting);

        Assert.All(got, one => Assert.Same(token, one));
        Assert.Equal(1, _source.Calls);
    }

    [Fact]
    public async Task GetAsync_OneWaiterGivesUp_TheOthersStillGetIt()
    {
        CredentialCache cache = NewCache();
        TaskCompletionSource<Credential> fetch = _source.Hold();
        using CancellationTokenSource impatient = new();
        Task<Credential> leaving = cache.GetAsync(Timeout, impatient.Token).AsTask();
        Task<Credential> staying = cache.GetAsync(Timeout, Token).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        fetch.SetResult(new BearerToken("one", Hour));

        Assert.NotNull(await staying);
    }

    [Fact]
    public async Task GetAsync_RenewalFails_TheGoodOneServesUntilItEnds()
    {
        CredentialCache cache = NewCache();
        _source.Give(Hour);
        Credential first = await cache.GetAsync(Timeout, Token);
        _source.Fail("unreachable");

        for (int minute = 46; minute <= 58; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(minute == 46 ? 46 : 1));
            ValueTask<Credential> got = cache.GetAsync(Timeout, Token);
            Assert.True(got.IsCompletedSuccessfully);
            Assert.Same(first, await got);

            // Each minute is longer than the wait after a failure: one try, and no more.
            int tries = minute - 45;
            await UntilAsync(() => Task.FromResult(Volatile.Read(ref _failures) == tries));
        }

        Assert.Equal(14, _source.Calls);
        _time.Advance(TimeSpan.FromMinutes(3));
        await Assert.ThrowsAsync<CredentialsUnavailableException>(async () => await cache.GetAsync(Timeout, Token));
    }

    [Fact]
    public async Task GetAsync_EndpointDown_BacksOffAndFailsAtOnceMeanwhile()
    {
        CredentialCache cache = NewCache();
        _source.Fail("unreachable");
        List<TimeSpan> waits = [];
        for (int i = 0; i < 9; i++)
        {
            await Assert.ThrowsAsync<CredentialsUnavailableException>(async () => await cache.GetAsync(Timeout, Token));
            int calls = _source.Calls;
            CredentialsUnavailableException quick = await Assert.ThrowsAsync<CredentialsUnavailableException>(async () => await cache.GetAsync(Timeout, Token));
            Assert.Equal(calls, _source.Calls);
            waits.Add(quick.RetryAfter);
            _time.Advance(quick.RetryAfter);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], waits.Select(static wait => (int)wait.TotalSeconds));
        Assert.Equal(9, _source.Calls);
        _source.Give(Hour);
        Assert.NotNull(await cache.GetAsync(Timeout, Token));
    }

    [Fact]
    public async Task GetAsync_Refused_RestsForTheLongestWaitAtOnce()
    {
        CredentialCache cache = NewCache();
        _source.Fail("AADSTS7000215", isRefused: true);

        CredentialsUnavailableException refused = await Assert.ThrowsAsync<CredentialsUnavailableException>(async () => await cache.GetAsync(Timeout, Token));

        Assert.Equal(CredentialCache.BackoffMax, refused.RetryAfter);
        Assert.Equal("AADSTS7000215", Assert.Single(_reported).Reason);
    }

    [Fact]
    public async Task GetAsync_FetchHangs_EndsAtTheTimeLimitAndIsReported()
    {
        CredentialCache cache = NewCache();
        _source.Hold();
        Task<Credential> waiting = cache.GetAsync(Timeout, Token).AsTask();
        await _source.WaitForCallsAsync(1);

        _time.Advance(Timeout);

        CredentialsUnavailableException failure = await Assert.ThrowsAsync<CredentialsUnavailableException>(() => waiting);
        Assert.Equal("timeout", failure.Reason);
    }

    [Theory]
    [InlineData(-48)]
    [InlineData(48)]
    public async Task GetAsync_ClockJumps_NeverUsesATokenBeyondItsLife(int hours)
    {
        JumpingTime time = new(_time);
        CredentialCache cache = new(_source, time);
        _source.Give(Hour);
        Credential first = await cache.GetAsync(Timeout, Token);
        time.Offset = TimeSpan.FromHours(hours);
        _time.Advance(Hour);
        _source.Give(Hour);

        Credential second = await cache.GetAsync(Timeout, Token);

        Assert.NotSame(first, second);
        Assert.Equal(2, _source.Calls);
    }

    [Fact]
    public async Task NoteRefused_OfAnOldToken_FetchesAnotherAndOfAFreshOneDoesNot()
    {
        CredentialCache cache = NewCache();
        _source.Give(Hour);
        Credential first = await cache.GetAsync(Timeout, Token);
        cache.NoteRefused();
        Assert.Same(first, await cache.GetAsync(Timeout, Token));

        _time.Advance(CredentialCache.RefusedAgeMin);
        cache.NoteRefused();

        Assert.NotSame(first, await cache.GetAsync(Timeout, Token));
        Assert.Equal(2, _source.Calls);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (int i = 0; i < 2000 && !await holds(); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }

        Assert.True(await holds());
    }

    /// <summary>Gives what it is told to.</summary>
    private sealed record TestSource : CredentialSource
    {
        private Func<Task<Credential>> _answer = static () => throw new InvalidOperationException();
        private int _calls;

        public int Calls => Volatile.Read(ref _calls);

        public override Task<Credential> FetchAsync(TimeSpan connectTimeout, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _calls);
            return _answer();
        }

        public void Give(TimeSpan lifetime) => _answer = () => Task.FromResult<Credential>(new BearerToken($"token-{Calls}", lifetime));

        public void Fail(string reason, bool isRefused = false) =>
            _answer = () => Task.FromException<Credential>(new CredentialsUnavailableException(reason, isRefused));

        public TaskCompletionSource<Credential> Hold()
        {
            TaskCompletionSource<Credential> held = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _answer = () => held.Task;
            return held;
        }

        public Task WaitForCallsAsync(int count) => UntilAsync(() => Task.FromResult(Calls >= count));
    }

    /// <summary>A clock on the wall that somebody sets, over a timer that nobody can.</summary>
    private sealed class JumpingTime(FakeTimeProvider inner) : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + Offset;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            inner.CreateTimer(callback, state, dueTime, period);
    }
}
