using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Authentication;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Upstream;
using Ballast.Upstream.Providers;
using Ballast.Upstream.Signing;

namespace Ballast.Gateway;

/// <summary>One attempt from request to last byte: send, judge the head, relay the body. Every failure comes back as a value.</summary>
public sealed class UpstreamCall(UpstreamClient client)
{
    /// <summary>Returns null when the client has a whole answer, else why not. A client that went away is an <see cref="OperationCanceledException"/>.</summary>
    public async Task<UpstreamFailure?> RunAsync(
        Exchange exchange, Attempt attempt, HttpRequestMessage request, ClientResponse response, CancellationToken aborted)
    {
        using AttemptTimer timer = new(exchange, aborted);
        BodyContent body = (BodyContent)request.Content!;
        HttpResponseMessage upstream;
        try
        {
            upstream = await client.SendAsync(request, attempt.Deployment.Provider, exchange.Catalog.Limits, timer.Token).ConfigureAwait(false);
        }
        catch (CredentialsUnavailableException exception)
        {
            return UpstreamFailure.Of(GatewayError.CredentialsUnavailable) with { RestFor = exception.RetryAfter };
        }
        catch (HttpRequestException exception)
        {
            bool isConnect = exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.VersionNegotiationError;
            attempt.Reached = body.WasSent && !isConnect;
            return UpstreamFailure.Of(exception.InnerException switch
            {
                AddressRefusedException => GatewayError.AddressRefused,
                AuthenticationException => GatewayError.TlsFailed,
                _ => attempt.Reached ? GatewayError.ConnectionLost : GatewayError.ConnectFailed,
            });
        }
        catch (OperationCanceledException) when (!aborted.IsCancellationRequested)
        {
            attempt.Reached = body.WasSent;
            return UpstreamFailure.Of(body.WasSent || timer.Verdict == GatewayError.TotalTimeout ? timer.Verdict : GatewayError.ConnectFailed);
        }
        catch (OperationCanceledException)
        {
            attempt.Reached = body.WasSent;
            throw;
        }

        using (upstream)
        {
            attempt.Reached = true;
            attempt.UpstreamStatus = (int)upstream.StatusCode;
            attempt.UpstreamRequestId = RequestId(attempt, upstream);
            return await JudgeAsync(exchange, attempt, upstream, response, timer, aborted).ConfigureAwait(false);
        }
    }

    private async Task<UpstreamFailure?> JudgeAsync(
        Exchange exchange, Attempt attempt, HttpResponseMessage upstream, ClientResponse response, AttemptTimer timer, CancellationToken aborted)
    {
        int status = (int)upstream.StatusCode;
        if (status is >= 300 and < 400)
        {
            return UpstreamFailure.Of(GatewayError.Redirected);
        }

        Stream stream = await upstream.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
        if (status is < 200 or >= 300)
        {
            return await ErrorAsync(exchange, attempt, upstream, stream, timer, aborted).ConfigureAwait(false);
        }

        HttpHeadersNonValidated head = upstream.Content.Headers.NonValidated;
        if (IsWrong(head, exchange.Envelope.Stream) || IsEncoded(head))
        {
            return UpstreamFailure.Of(GatewayError.Malformed);
        }

        response.SetHead(attempt, upstream, exchange.Envelope.Stream);
        return await new Relay(exchange, attempt, response, timer, upstream.Content.Headers.ContentLength).RunAsync(stream, aborted).ConfigureAwait(false);
    }

    // An HTML page with status 200 is a proxy's, not a model's. Anything else is left to the reader, which refuses what breaks the protocol.
    private static bool IsWrong(HttpHeadersNonValidated head, bool stream)
    {
        if (!head.TryGetValues("Content-Type", out HeaderStringValues values))
        {
            return false;
        }

        ReadOnlySpan<char> type = values.ToString();
        int parameters = type.IndexOf(';');
        ReadOnlySpan<char> mediaType = (parameters < 0 ? type : type[..parameters]).Trim();
        return mediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) || (stream && mediaType.EndsWith("/xml", StringComparison.OrdinalIgnoreCase));
    }

    // None was asked for, and none is undone: a bomb would be, too.
    private static bool IsEncoded(HttpHeadersNonValidated head)
    {
        if (!head.TryGetValues("Content-Encoding", out HeaderStringValues values))
        {
            return false;
        }

        ReadOnlySpan<char> encodings = values.ToString();
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

    private static string? RequestId(Attempt attempt, HttpResponseMessage upstream)
    {
        ProviderEndpoint endpoint = ProviderEndpoint.Of(attempt.Deployment.Provider.Kind);
        foreach (string name in (ReadOnlySpan<string>)[endpoint.RequestIdHeader, "x-request-id", "request-id"])
        {
            if (UpstreamClient.Header(upstream, name) is { } id)
            {
                return id;
            }
        }

        return null;
    }

    private async Task<UpstreamFailure> ErrorAsync(
        Exchange exchange, Attempt attempt, HttpResponseMessage upstream, Stream stream, AttemptTimer timer, CancellationToken aborted)
    {
        int status = (int)upstream.StatusCode;
        ReadOnlyMemory<byte> body = default;
        bool isWhole = false;
        try
        {
            (body, isWhole) = await ReadBoundedAsync(stream, exchange.Catalog.Limits.ErrorBodyBytesMax, timer.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException
            || (exception is OperationCanceledException && !aborted.IsCancellationRequested))
        {
            // An error whose body cannot be read is still that error.
        }

        if (status == 401)
        {
            client.NoteRefused(attempt.Deployment.Provider);
        }

        Protocol protocol = attempt.Protocol;
        ChatError error = protocol.ReadError(status, body);
        UpstreamFailure failure = StatusJudge.Judge(status, error, UpstreamClient.RetryAfter(upstream.Headers, exchange.Time));
        // Half a body is no error that a client could read.
        return exchange.Protocol == protocol && !failure.IsRetryable && isWhole ? failure with { RawBody = body } : failure;
    }

    private static async Task<(ReadOnlyMemory<byte> Body, bool IsWhole)> ReadBoundedAsync(Stream stream, int bytesMax, CancellationToken cancellation)
    {
        ArrayBufferWriter<byte> body = new(4096);
        while (body.WrittenCount < bytesMax)
        {
            int read = await stream.ReadAsync(body.GetMemory(4096), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                return (body.WrittenMemory, true);
            }

            body.Advance(read);
        }

        return (body.WrittenMemory, false);
    }
}
