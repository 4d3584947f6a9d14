using System.Text;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Operations;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>Asks the one provider where something lies. It is asked nowhere else: whatever keeps that provider from answering is told as such.</summary>
/// <param name="exchange">Whose request it is.</param>
/// <param name="subject">What is asked about.</param>
/// <param name="method">What is done.</param>
/// <param name="action">What stands behind the id in the path; empty for nothing.</param>
internal abstract class PinnedWork(Exchange exchange, Handle subject, string method, string action) : AttemptWork
{
    protected Exchange Exchange => exchange;

    protected Handle Subject => subject;

    public override UpstreamMessage Build(Attempt attempt)
    {
        string path = $"{HandlePath.Of(subject.Kind)}/{Uri.EscapeDataString(subject.UpstreamId)}{action}";
        return UpstreamRequest.AddressKept(attempt, method, path, new PooledBuffer(), null);
    }

    public override UpstreamFailure Tell(UpstreamFailure failure)
    {
        ChatError error = failure.Error.Kind switch
        {
            ChatErrorKind.NotFound => (subject.Kind == HandleKind.File ? GatewayError.FileNotFound : GatewayError.BatchNotFound).ToChatError(),
            ChatErrorKind.RateLimited or ChatErrorKind.QuotaExceeded => failure.Error,
            _ when failure.Code == GatewayError.CredentialsRefused.Code || failure.Code == GatewayError.CredentialsUnavailable.Code => failure.Error,
            _ when failure.IsRetryable || failure.Code == GatewayError.TotalTimeout.Code =>
                GatewayError.ProviderUnavailable.ToChatError() with { RetryAfter = failure.Error.RetryAfter },
            // The vendor's own words, in which it may call the thing by its own name.
            _ => failure.Error with { Message = failure.Error.Message.Replace(subject.UpstreamId, subject.Name, StringComparison.Ordinal) },
        };
        return failure with { Error = error, IsRetryable = false, RawBody = failure.RawBody.IsEmpty ? default : Renamed(failure.RawBody) };
    }

    protected async Task<(ReadOnlyMemory<byte> Body, KeptObject Told)> ReadAsync(UpstreamAnswer upstream, AttemptTimer timer)
    {
        ReadOnlyMemory<byte> body = await KeptAnswers.ReadWholeAsync(upstream.Body, exchange.Catalog.Limits.ResponseBodyBytesMax, timer.Token).ConfigureAwait(false);
        return (body, KeptObject.Read(body));
    }

    private ReadOnlyMemory<byte> Renamed(ReadOnlyMemory<byte> body) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body.Span).Replace(subject.UpstreamId, subject.Name, StringComparison.Ordinal));
}

/// <summary>Asks for something, ends it or deletes it; the answer tells how it looks then.</summary>
internal sealed class ObjectWork(Exchange exchange, Handle subject, string method, string action, KeptAnswers answers) : PinnedWork(exchange, subject, method, action)
{
    public override async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        (ReadOnlyMemory<byte> body, KeptObject told) = await ReadAsync(upstream, timer).ConfigureAwait(false);
        if (Exchange is { Operation: Operation.MessageBatchDelete, Batch: not null } && Subject.Held is { Usd: > 0 } held)
        {
            // Nobody will ever tell what its answers cost; the most that it was taken for is what its budgets count.
            attempt.Costs = (held.Usd, null);
        }

        await answers.SendKnownAsync(attempt, upstream, Subject, body, told, aborted).ConfigureAwait(false);
        return null;
    }
}

/// <summary>Asks for something and sends nothing: what comes is kept for a list.</summary>
internal sealed class LookWork(Exchange exchange, Handle subject, KeptAnswers answers) : PinnedWork(exchange, subject, "GET", "")
{
    /// <summary>As its owner sees it; empty where it could not be seen.</summary>
    public ReadOnlyMemory<byte> Seen { get; private set; }

    public override async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        (ReadOnlyMemory<byte> body, KeptObject told) = await ReadAsync(upstream, timer).ConfigureAwait(false);
        using PooledBuffer named = await answers.ObserveAsync(attempt, Subject, body, told).ConfigureAwait(false);
        Seen = named.WrittenSpan.ToArray();
        return null;
    }
}
