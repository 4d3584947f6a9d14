using System.Buffers;
using System.IO.Pipelines;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Routing.Metering;
using Ballast.Upstream;
using Ballast.Upstream.Providers;
using Ballast.Upstream.Signing;

namespace Ballast.Gateway;

/// <summary>One attempt from request to last byte: send, judge the head, relay the body. Every failure comes back as a value.</summary>
public sealed class UpstreamCall(UpstreamClient client, QuotaBook quotas)
{
    /// <summary>Returns null when the client has a whole answer, else why not. A client that went away is an <see cref="OperationCanceledException"/>.</summary>
    public async Task<UpstreamFailure?> RunAsync(
        Exchange exchange, Attempt attempt, UpstreamMessage message, ClientResponse response, CancellationToken aborted, AttemptWork? work = null)
    {
        using AttemptTimer timer = AttemptTimer.Start(exchange, aborted);
        UpstreamAnswer upstream;
        try
        {
            upstream = await client.SendAsync(message, attempt.Deployment.Provider, exchange.Catalog.Limits, timer.Token).ConfigureAwait(false);
        }
        catch (CredentialsUnavailableException exception)
        {
            return UpstreamFailure.Of(GatewayError.CredentialsUnavailable) with { RestFor = exception.RetryAfter };
        }
        catch (UpstreamException exception)
        {
            attempt.Reached = exception.Error == GatewayError.ConnectionLost;
            return UpstreamFailure.Of(exception.Error);
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            attempt.Reached = message.WasSent;
            return UpstreamFailure.Of(message.WasSent || timer.Verdict == GatewayError.TotalTimeout ? timer.Verdict : GatewayError.ConnectFailed);
        }
        catch (OperationCanceledException)
        {
            attempt.Reached = message.WasSent;
            throw;
        }

        using (upstream)
        {
            attempt.Reached = true;
            quotas.NoteArrival(attempt);
            attempt.UpstreamStatus = upstream.Status;
            attempt.UpstreamRequestId = RequestId(attempt, upstream);
            attempt.RateLimits = attempt.WantsRateLimits ? attempt.Protocol.ReadRateLimits(upstream.Header, exchange.Time.GetUtcNow()) : null;
            return await JudgeAsync(exchange, attempt, upstream, response, timer, work, aborted).ConfigureAwait(false);
        }
    }

    private async Task<UpstreamFailure?> JudgeAsync(
        Exchange exchange, Attempt attempt, UpstreamAnswer upstream, ClientResponse response, AttemptTimer timer, AttemptWork? work, CancellationToken aborted)
    {
        int status = upstream.Status;
        if (status is >= 300 and < 400)
        {
            return UpstreamFailure.Of(GatewayError.Redirected);
        }

        if (status is < 200 or >= 300)
        {
            return await ErrorAsync(exchange, attempt, upstream, timer, aborted).ConfigureAwait(false);
        }

        if (IsWrong(upstream, exchange.Envelope.Stream) || IsEncoded(upstream))
        {
            return UpstreamFailure.Of(GatewayError.Malformed);
        }

        if (work is not null)
        {
            return await TakeAsync(attempt, upstream, timer, work, aborted).ConfigureAwait(false);
        }

        bool isOpaque = attempt.Protocol.Family == ProtocolFamily.Opaque;
        attempt.MediaType = isOpaque ? MediaType(upstream.Header("Content-Type")) : null;
        // What is only passed on need not be asked for as a stream to be one: sound and pictures are; of JSON the usage is wanted, which stands at its end.
        attempt.IsStream = isOpaque ? attempt.MediaType != "application/json" : exchange.Envelope.Stream;
        response.SetHead(attempt, upstream, attempt.IsStream);
        return await new Relay(exchange, attempt, response, timer, upstream).RunAsync(aborted).ConfigureAwait(false);
    }

    private static async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, AttemptWork work, CancellationToken aborted)
    {
        timer.Begin();
        try
        {
            return await work.TakeAsync(attempt, upstream, timer, aborted).ConfigureAwait(false);
        }
        catch (ProtocolException)
        {
            return UpstreamFailure.Of(GatewayError.Malformed);
        }
        catch (IOException)
        {
            return UpstreamFailure.Of(GatewayError.StreamCut);
        }
        catch (OperationCanceledException exception) when (exception is not ClientGoneException && !aborted.IsCancellationRequested)
        {
            return UpstreamFailure.Of(timer.Verdict);
        }
    }

    private static string? MediaType(string? contentType)
    {
        int parameters = contentType?.IndexOf(';', StringComparison.Ordinal) ?? -1;
        return (parameters < 0 ? contentType : contentType![..parameters])?.Trim().ToLowerInvariant();
    }

    // An HTML page with status 200 is a proxy's, not a model's. Anything else is left to the reader, which refuses what breaks the protocol.
    private static bool IsWrong(UpstreamAnswer upstream, bool stream)
    {
        if (upstream.Header("Content-Type") is not { } told)
        {
            return false;
        }

        ReadOnlySpan<char> type = told;
        int parameters = type.IndexOf(';');
        ReadOnlySpan<char> mediaType = (parameters < 0 ? type : type[..parameters]).Trim();
        return mediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) || (stream && mediaType.EndsWith("/xml", StringComparison.OrdinalIgnoreCase));
    }

    // None was asked for, and none is undone: a bomb would be, too.
    private static bool IsEncoded(UpstreamAnswer upstream)
    {
        if (upstream.JoinedHeader("Content-Encoding") is not { } told)
        {
            return false;
        }

        ReadOnlySpan<char> encodings = told;
        foreach (Range encoding in encodings.Split(','))
        {
            ReadOnlySpan<char> name = encodings[encoding].Trim();
            if (!name.IsEmpty && !name.Equals("identity", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static string? RequestId(Attempt attempt, UpstreamAnswer upstream)
    {
        ProviderEndpoint endpoint = ProviderEndpoint.Of(attempt.Deployment.Provider.Kind);
        foreach (string name in (ReadOnlySpan<string>)[endpoint.RequestIdHeader, "x-request-id", "request-id"])
        {
            if (upstream.Header(name) is { } id)
            {
                return id;
            }
        }

        return null;
    }

    private async Task<UpstreamFailure> ErrorAsync(
        Exchange exchange, Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        int status = upstream.Status;
        ReadOnlyMemory<byte> body = default;
        bool isWhole = false;
        try
        {
            (body, isWhole) = await ReadBoundedAsync(upstream.Body, exchange.Catalog.Limits.ErrorBodyBytesMax, timer.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException
            || (exception is OperationCanceledException && !aborted.IsCancellationRequested))
        {
            // An error whose body cannot be read is still that error.
        }

        Protocol protocol = attempt.Protocol;
        ChatError error = protocol.ReadError(status, body, protocol.ErrorTypeHeader is { } header ? upstream.Header(header) : null);
        if (error.Kind == ChatErrorKind.Authentication)
        {
            client.NoteRefused(attempt.Deployment.Provider);
        }

        UpstreamFailure failure = StatusJudge.Judge(status, error, upstream.RetryAfter(exchange.Time));
        // Half a body is no error that a client could read.
        return exchange.Protocol == protocol && !failure.IsRetryable && isWhole ? failure with { RawBody = body } : failure;
    }

    private static async Task<(ReadOnlyMemory<byte> Body, bool IsWhole)> ReadBoundedAsync(PipeReader body, int bytesMax, CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult result = await body.ReadAsync(cancellation).ConfigureAwait(false);
            if (result.IsCompleted || result.Buffer.Length >= bytesMax)
            {
                return (result.Buffer.ToArray(), result.IsCompleted);
            }

            body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
