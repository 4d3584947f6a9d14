using System.Buffers;
using System.IO.Pipelines;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Operations;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>Puts handles in place of a provider's ids, writes down what is new, and tells the client: in this order, so that no client knows a handle that a crash could lose.</summary>
internal sealed class KeptAnswers(Exchange exchange, HandleStore handles, ClientResponse response)
{
    /// <summary>Batches in one of these states stay there.</summary>
    private static readonly string[] s_endStates = ["completed", "failed", "expired", "cancelled"];

    /// <summary>A batch of Messages in this state stays there.</summary>
    private const string MessagesEnd = "ended";

    /// <summary>Where the results of a batch of Messages are found: below whatever address its client has for this gateway.</summary>
    private static string ResultsOf(Handle batch) => $"/v1{HandlePath.Of(batch.Kind)}/{batch.Name}/results";

    /// <summary>Files that are still worked on are in one of these.</summary>
    private static readonly string[] s_fileStates = ["uploaded", "pending", "running"];

    /// <summary>Sends what was just made, under a new handle. False, and nothing was sent, where there is no room for it.</summary>
    public async Task<bool> SendNewAsync(
        Attempt attempt, UpstreamAnswer upstream, HandleKind kind, string purpose, IReadOnlyList<string> models, long max, ReadOnlyMemory<byte> body,
        KeptObject told, CancellationToken aborted)
    {
        Handle made = new()
        {
            Name = HandleName.Make(kind),
            Kind = kind,
            App = exchange.Key.App,
            Provider = attempt.Deployment.Provider.Name,
            Deployment = attempt.Deployment.Name,
            UpstreamId = told.Id.Id,
            Purpose = purpose,
            Models = models,
            IsFinal = IsFinal(kind, told),
            GoneAt = GoneAt(kind, told),
            Held = kind == HandleKind.MessageBatch ? BatchBook.HeldFor(exchange) : null,
        };
        using PooledBuffer named = await NameAsync(made, body, told).ConfigureAwait(false);
        if (await handles.TryAddAsync(made with { Object = named.WrittenMemory }, max).ConfigureAwait(false) is not { } added)
        {
            return false;
        }

        exchange.Batch = kind == HandleKind.MessageBatch ? added.Name : null;
        if (added.Name == made.Name)
        {
            await SendAsync(attempt, upstream, named, aborted).ConfigureAwait(false);
            return true;
        }

        // The provider gave the same thing again, and it has its handle.
        using PooledBuffer renamed = await NameAsync(added, body, told).ConfigureAwait(false);
        await SendAsync(attempt, upstream, renamed, aborted).ConfigureAwait(false);
        return true;
    }

    /// <summary>Sends how something known looks now.</summary>
    public async Task SendKnownAsync(Attempt attempt, UpstreamAnswer upstream, Handle handle, ReadOnlyMemory<byte> body, KeptObject told, CancellationToken aborted)
    {
        using PooledBuffer named = await ObserveAsync(attempt, handle, body, told).ConfigureAwait(false);
        await SendAsync(attempt, upstream, named, aborted).ConfigureAwait(false);
    }

    /// <summary>Remembers how something known looks now, and gives it as its owner sees it. A batch's tokens are counted once, when it is first seen at its end.</summary>
    public async Task<PooledBuffer> ObserveAsync(Attempt attempt, Handle handle, ReadOnlyMemory<byte> body, KeptObject told)
    {
        PooledBuffer named = await NameAsync(handle, body, told).ConfigureAwait(false);
        if (!handle.IsFinal && !told.IsDeleted)
        {
            bool isEnd = await handles.UpdateAsync(
                handle with { Object = named.WrittenMemory, IsFinal = IsFinal(handle.Kind, told), GoneAt = GoneAt(handle.Kind, told) }).ConfigureAwait(false);
            attempt.Usage = isEnd && handle.Kind == HandleKind.Batch ? told.Usage : null;
        }

        return named;
    }

    /// <summary>A batch of Messages was seen at its end.</summary>
    public static bool HasEnded(Handle batch) => !batch.Object.IsEmpty && KeptObject.Read(batch.Object).Status == MessagesEnd;

    public static async Task<ReadOnlyMemory<byte>> ReadWholeAsync(PipeReader body, int bytesMax, CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult result = await body.ReadAsync(cancellation).ConfigureAwait(false);
            if (result.Buffer.Length > bytesMax)
            {
                throw ProtocolException.Invalid("The upstream's answer is too large.");
            }

            if (result.IsCompleted)
            {
                return result.Buffer.ToArray();
            }

            body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private async Task SendAsync(Attempt attempt, UpstreamAnswer upstream, PooledBuffer body, CancellationToken aborted)
    {
        response.SetHead(attempt, upstream, stream: false);
        await response.SendWholeAsync(new ReadOnlySequence<byte>(body.WrittenMemory), aborted).ConfigureAwait(false);
    }

    private async Task<PooledBuffer> NameAsync(Handle own, ReadOnlyMemory<byte> body, KeptObject told)
    {
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        foreach (KeptId id in told.Ids)
        {
            if (id != told.Id && !names.ContainsKey(id.Id))
            {
                names[id.Id] = (await handles.GetOrAddAsync(FileOf(own, id.Id)).ConfigureAwait(false)).Name;
            }
        }

        PooledBuffer named = new(body.Length + 256);
        JsonSplice.Write(body.Span, told.EditsFor(id => id == told.Id ? own.Name : names[id.Id], ResultsOf(own)), named);
        return named;
    }

    /// <summary>A file that a batch names. It is none that another batch could be made of: what is in it was not looked at here.</summary>
    private static Handle FileOf(Handle batch, string upstreamId) => new()
    {
        Name = HandleName.Make(HandleKind.File),
        Kind = HandleKind.File,
        App = batch.App,
        Provider = batch.Provider,
        Deployment = batch.Deployment,
        UpstreamId = upstreamId,
        Purpose = "batch_output",
    };

    /// <summary>A batch of Messages is final when its results have been read: only they tell its tokens.</summary>
    private static bool IsFinal(HandleKind kind, KeptObject told) => kind switch
    {
        HandleKind.Batch => s_endStates.Contains(told.Status),
        HandleKind.MessageBatch => false,
        _ => !s_fileStates.Contains(told.Status),
    };

    /// <summary>A batch's own <c>expires_at</c> is when it is given up, not when it is thrown away.</summary>
    private static DateTimeOffset? GoneAt(HandleKind kind, KeptObject told) =>
        kind == HandleKind.File && told.ExpiresAt is { } at and >= 0 and <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(at) : null;
}
