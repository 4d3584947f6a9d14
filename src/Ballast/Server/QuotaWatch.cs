using System.Buffers;
using System.Data.Common;
using System.Text;
using System.Text.Json;
using Ballast.Ledger;
using Ballast.Routing;

namespace Ballast.Server;

/// <summary>Carries what vendors say of their limits to the ledger: when it changes, and once a day while they go on saying it. A store that is away is asked again at the next round.</summary>
internal sealed class QuotaWatch : IAsyncDisposable
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(60);

    private readonly HealthBook _health;
    private readonly ILedgerEventStore _store;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, (ObservedQuota Quota, DateTime Day)> _written = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public QuotaWatch(HealthBook health, ILedgerEventStore store, TimeProvider time)
    {
        (_health, _store, _time) = (health, store, time);
        _running = Task.Run(RunAsync);
    }

    /// <summary>One round.</summary>
    public async Task TickAsync(CancellationToken cancellation)
    {
        DateTimeOffset now = _time.GetUtcNow();
        (string Name, ObservedQuota Quota)[] changed =
        [
            .. _health.All.Where(pair => pair.Value.Quota is { } quota && (!_written.TryGetValue(pair.Key, out (ObservedQuota Quota, DateTime Day) known) || known.Quota != quota || known.Day != now.UtcDateTime.Date))
                .Select(static pair => (pair.Key, pair.Value.Quota!)),
        ];
        if (changed.Length == 0)
        {
            return;
        }

        try
        {
            await _store.AppendEventsAsync([.. changed.Select(one => Event(one.Name, one.Quota, now))], cancellation).ConfigureAwait(false);
            foreach ((string name, ObservedQuota quota) in changed)
            {
                _written[name] = (quota, now.UtcDateTime.Date);
            }
        }
        catch (Exception fault) when (fault is DbException or LedgerException or IOException or OperationCanceledException or TimeoutException or ObjectDisposedException)
        {
            // What vendors allow is told again with every answer.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(2), TimeProvider.System);
        await TickAsync(deadline.Token).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(Every, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                await TickAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static LedgerEvent Event(string deployment, ObservedQuota quota, DateTimeOffset now)
    {
        ArrayBufferWriter<byte> buffer = new(128);
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            if (quota.RequestsPerMinute is { } requests)
            {
                writer.WriteNumber("requests_per_minute", requests);
            }

            if (quota.TokensPerMinute is { } tokens)
            {
                writer.WriteNumber("tokens_per_minute", tokens);
            }

            writer.WriteEndObject();
        }

        return new LedgerEvent { Id = "quota/" + deployment, At = now, Kind = LedgerEvent.Quota, Subject = deployment, Body = Encoding.UTF8.GetString(buffer.WrittenSpan) };
    }
}
