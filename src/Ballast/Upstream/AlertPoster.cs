using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;

namespace Ballast.Upstream;

/// <summary>Where alerts are posted and how they are signed.</summary>
/// <param name="Address">Of the receiver.</param>
/// <param name="Secret">Key of the signature.</param>
/// <param name="AllowPrivateAddresses">The receiver may be in a network of one's own.</param>
public sealed record AlertTarget(Uri Address, Catalog.Secret Secret, bool AllowPrivateAddresses);

/// <summary>
/// Posts alerts to a webhook, off every request's path: a bounded queue whose newest are dropped when it is full, some tries for each, no redirects. The address is checked
/// where the connection is made. What waits lies in a folder, so that the next process tells what this one could not, and none is told twice. Signed as <c>x-ballast-signature: t=SECONDS,v1=HEX</c>, HMAC-SHA256 over <c>SECONDS.BODY</c>.
/// </summary>
public sealed class AlertPoster : IAsyncDisposable
{
    public const string SignatureHeader = "x-ballast-signature";

    /// <summary>Alerts that wait.</summary>
    public const int QueueMax = 256;

    /// <summary>Tries for one alert.</summary>
    public const int TriesMax = 5;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);

    private readonly Func<AlertTarget?> _target;
    private readonly TimeProvider _time;
    private readonly Action<string> _onFailure;
    private readonly AlertFolder _folder;
    private readonly Channel<(string Name, byte[] Body)> _queue = Channel.CreateBounded<(string, byte[])>(new BoundedChannelOptions(QueueMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly Channel<bool> _kept = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;

    /// <param name="folder">Where alerts lie that wait, and the names of those that were told; made with the first.</param>
    /// <param name="target">Where alerts go at present; null for nowhere.</param>
    /// <param name="time">Of the signature and of the pauses.</param>
    /// <param name="onFailure">Told why an alert was given up: a word, no address.</param>
    public AlertPoster(string folder, Func<AlertTarget?> target, TimeProvider time, Action<string> onFailure)
    {
        _folder = new AlertFolder(folder, time);
        _target = target;
        _time = time;
        _onFailure = onFailure;
        _kept.Writer.TryWrite(true); // what an earlier process left
        _work = Task.WhenAll(Task.Run(KeepAsync), Task.Run(RunAsync));
    }

    /// <summary>Queues a JSON document; returns at once. One of the same name is told once, by whichever process.</summary>
    public void Post(string name, byte[] body) => _queue.Writer.TryWrite((name, body));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(false);
    }

    /// <summary>The signature of a body at a moment.</summary>
    public static string Sign(string secret, long seconds, ReadOnlySpan<byte> body)
    {
        string moment = seconds.ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.ASCII.GetBytes(moment + "."), .. body];
        return $"t={moment},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed))}";
    }

    /// <summary>Puts alerts into the folder at once, however long the one before takes to be told.</summary>
    private async Task KeepAsync()
    {
        try
        {
            await foreach ((string name, byte[] body) in _queue.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                if (_target() is null)
                {
                    continue;
                }

                try
                {
                    if (_folder.TryKeep(name, body))
                    {
                        _kept.Writer.TryWrite(true);
                    }
                }
                catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
                {
                    _onFailure("not_kept");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (bool _ in _kept.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                while (_target() is { } target && Waiting() is [var next, ..])
                {
                    await DeliverAsync(target, next.Body).ConfigureAwait(false);
                    Finish(next.File);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end; what waits is told by the next process.
        }
    }

    private IReadOnlyList<(string File, byte[] Body)> Waiting()
    {
        try
        {
            return _folder.Read(countMax: 1);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _onFailure("not_readable");
            return [];
        }
    }

    private void Finish(string file)
    {
        try
        {
            _folder.Finish(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _onFailure("not_kept");
            _stop.Cancel(); // else it would be told for ever
        }
    }

    private async Task DeliverAsync(AlertTarget target, byte[] body)
    {
        string reason = "";
        for (int i = 0; i < TriesMax; i++)
        {
            if (i > 0)
            {
                await Task.Delay(s_firstPause * (1 << (i - 1)), _time, _stop.Token).ConfigureAwait(false);
            }

            try
            {
                int status = await SendAsync(target, body).ConfigureAwait(false);
                if (status is >= 200 and < 300)
                {
                    return;
                }

                reason = $"status_{status}";
                if (status is >= 300 and < 500 and not (408 or 429))
                {
                    break;
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException && !_stop.IsCancellationRequested)
            {
                reason = failure.InnerException is AddressRefusedException ? "address_refused" : failure is OperationCanceledException ? "timeout" : "connection";
            }
        }

        _onFailure(reason);
    }

    private async Task<int> SendAsync(AlertTarget target, byte[] body)
    {
        using SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectCallback = (context, cancellation) =>
                AddressPolicy.ConnectAsync(context.DnsEndPoint, address => AddressPolicy.IsAllowed(address, target.AllowPrivateAddresses), cancellation),
        };
        using HttpMessageInvoker invoker = new(handler);
        using HttpRequestMessage request = new(HttpMethod.Post, target.Address);
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation(SignatureHeader, Sign(target.Secret.Reveal(), _time.GetUtcNow().ToUnixTimeSeconds(), body));
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(s_timeout);
        using HttpResponseMessage response = await invoker.SendAsync(request, limit.Token).ConfigureAwait(false);
        return (int)response.StatusCode;
    }
}
