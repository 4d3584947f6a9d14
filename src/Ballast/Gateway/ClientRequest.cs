using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Clouds;
using Ballast.Transport;

namespace Ballast.Gateway;

/// <summary>Receives a request's body into one piece of pooled memory, bounded, and fills the exchange with what routing needs.</summary>
public sealed class ClientRequest(HttpCall http) : IDisposable
{
    private const int FirstBufferBytes = 16 * 1024;

    private byte[] _buffer = [];

    /// <exception cref="GatewayException">The body is too large, encoded or broken off.</exception>
    /// <exception cref="Ballast.Protocols.ProtocolException">The body breaks its protocol.</exception>
    public async Task ReceiveAsync(Exchange exchange)
    {
        ReadOnlyMemory<byte> body = await ReceiveBodyAsync(exchange).ConfigureAwait(false);
        if (body.IsEmpty)
        {
            throw ProtocolException.Invalid("The request has no body.");
        }

        if (exchange.Operation == Operation.CountTokens && exchange.Protocol == ProtocolList.BedrockConverse)
        {
            body = BedrockTokenCount.Unwrap(body, out bool isInvoke);
            exchange.TakeProtocol(isInvoke ? ProtocolList.BedrockInvoke : exchange.Protocol);
        }

        exchange.Envelope = exchange.Protocol.Peek(body, exchange.Address);
        TakeHeaders(exchange);
    }

    /// <summary>The body as it is, valid until this is disposed of.</summary>
    /// <exception cref="GatewayException">The body is too large, encoded or broken off.</exception>
    public async Task<ReadOnlyMemory<byte>> ReceiveBodyAsync(Exchange exchange)
    {
        if (http.Header("content-encoding") is { Length: > 0 } encoding && encoding != "identity")
        {
            throw new GatewayException(GatewayError.BodyEncoded);
        }

        int length = await ReadAsync(exchange.Catalog.Limits.RequestBodyBytesMax).ConfigureAwait(false);
        return _buffer.AsMemory(0, length);
    }

    /// <summary>A header's value; null where there is none.</summary>
    public string? Header(string name) => http.Header(name);

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        if (buffer.Length > 0)
        {
            LoopMemory.Return(buffer);
        }
    }

    private async Task<int> ReadAsync(int bytesMax)
    {
        if (http.ContentLength > bytesMax)
        {
            throw new GatewayException(GatewayError.BodyTooLarge);
        }

        _buffer = LoopMemory.Rent((int)(http.ContentLength ?? FirstBufferBytes) + 1);
        int length = 0;
        while (true)
        {
            int read = await http.ReadBodyAsync(_buffer.AsMemory(length)).ConfigureAwait(false);
            if (read == 0)
            {
                return length;
            }

            length += read;
            if (length > bytesMax)
            {
                throw new GatewayException(GatewayError.BodyTooLarge);
            }

            if (length == http.ContentLength)
            {
                return length;
            }

            if (length == _buffer.Length)
            {
                byte[] larger = LoopMemory.Rent(length * 2);
                _buffer.AsSpan(0, length).CopyTo(larger);
                LoopMemory.Return(_buffer);
                _buffer = larger;
            }
        }
    }

    /// <summary>Takes the headers that the caller's protocol defines.</summary>
    public void TakeHeaders(Exchange exchange)
    {
        exchange.IsClientRetry = http.Header("x-stainless-retry-count") is { } count && count is not ("0" or "");
        foreach (string name in exchange.Protocol.RequestHeaders)
        {
            Take(exchange, name);
        }
    }

    private void Take(Exchange exchange, string name)
    {
        string? value = http.Header(name);
        if (!string.IsNullOrEmpty(value) && Upstream.HeaderWriter.IsSafe(value))
        {
            exchange.ProtocolHeaders.Add(new(name, value));
        }
    }
}
