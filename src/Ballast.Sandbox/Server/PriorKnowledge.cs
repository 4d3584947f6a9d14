using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Ballast.Sandbox.Server;

/// <summary>Lets one clear-text port speak HTTP/1.1 and HTTP/2: a client that begins with HTTP/2's preface is believed, as if it had negotiated it.</summary>
internal static class PriorKnowledge
{
    /// <summary>No request of HTTP/1.1 begins so.</summary>
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0"u8;

    public static async Task DeclareAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (await BeginsWithPrefaceAsync(connection.Transport.Input, connection.ConnectionClosed).ConfigureAwait(false))
        {
            // Kestrel believes a protocol to be negotiated only where there is TLS.
            Declared declared = new();
            connection.Features.Set<ITlsApplicationProtocolFeature>(declared);
            connection.Features.Set<ITlsConnectionFeature>(declared);
        }

        await next(connection).ConfigureAwait(false);
    }

    private static async Task<bool> BeginsWithPrefaceAsync(PipeReader input, CancellationToken closed)
    {
        try
        {
            while (true)
            {
                ReadResult read = await input.ReadAsync(closed).ConfigureAwait(false);
                (bool isDecided, bool isPreface) = Look(read.Buffer);
                bool isLast = isDecided || read.IsCompleted || read.IsCanceled;
                input.AdvanceTo(read.Buffer.Start, isLast ? read.Buffer.Start : read.Buffer.End);
                if (isLast)
                {
                    return isPreface;
                }
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            return false;
        }
    }

    private static (bool IsDecided, bool IsPreface) Look(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> begin = stackalloc byte[14];
        int length = (int)Math.Min(buffer.Length, Preface.Length);
        buffer.Slice(0, length).CopyTo(begin);
        bool fits = Preface.StartsWith(begin[..length]);
        return (!fits || length == Preface.Length, fits && length == Preface.Length);
    }

    private sealed class Declared : ITlsApplicationProtocolFeature, ITlsConnectionFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol { get; } = SslApplicationProtocol.Http2.Protocol;

        public X509Certificate2? ClientCertificate { get; set; }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult<X509Certificate2?>(null);
    }
}
