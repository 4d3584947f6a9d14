using System.Buffers;
using System.Globalization;
using Ballast.Conversations;
using Ballast.Exchanges;
using Ballast.Gateway.Files;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.OpenAIResponses;
using Ballast.Upstream;

namespace Ballast.Gateway.Background;

/// <summary>Asks the one deployment that works on an answer. It is asked for nowhere else: whatever keeps that one from answering is told as such.</summary>
/// <param name="answer">What is asked about.</param>
/// <param name="method">What is done.</param>
/// <param name="action">What stands behind the id in the address; empty for nothing.</param>
internal abstract class BackgroundWork(KeptAnswer answer, string method, string action) : AttemptWork
{
    public override UpstreamMessage Build(Attempt attempt) =>
        UpstreamRequest.AddressKept(attempt, method, $"/responses/{Uri.EscapeDataString(answer.Id)}{action}", new PooledBuffer(), null);

    public override UpstreamFailure Tell(UpstreamFailure failure)
    {
        ChatError error = failure.Error.Kind switch
        {
            ChatErrorKind.NotFound => OpenAIResponsesDocuments.AnswerNotFound(answer.Id),
            ChatErrorKind.RateLimited or ChatErrorKind.QuotaExceeded => failure.Error,
            _ when failure.Code == GatewayError.CredentialsRefused.Code || failure.Code == GatewayError.CredentialsUnavailable.Code => failure.Error,
            _ when failure.IsRetryable || failure.Code == GatewayError.TotalTimeout.Code =>
                GatewayError.ProviderUnavailable.ToChatError() with { RetryAfter = failure.Error.RetryAfter },
            _ => failure.Error,
        };
        return failure with { Error = error, IsRetryable = false };
    }
}

/// <summary>Looks how it stands, or ends it.</summary>
internal sealed class LookWork(Exchange exchange, KeptAnswer answer, string method, string action, BackgroundDesk desk, ClientResponse response)
    : BackgroundWork(answer, method, action)
{
    private readonly KeptAnswer _answer = answer;

    public override async Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        ReadOnlyMemory<byte> body = await KeptAnswers.ReadWholeAsync(upstream.Body, exchange.Catalog.Limits.ResponseBodyBytesMax, timer.Token).ConfigureAwait(false);
        OpenAIResponsesBackground seen = OpenAIResponsesBackground.Read(body.Span, _answer.Json);
        desk.See(exchange, _answer, seen, attempt.Deployment);
        response.SetHead(attempt, upstream, stream: false);
        await response.SendWholeAsync(new ReadOnlySequence<byte>(seen.Json), aborted).ConfigureAwait(false);
        return null;
    }
}

/// <summary>Takes its stream up again.</summary>
internal sealed class ResumeWork(Exchange exchange, KeptAnswer answer, long? after, ClientResponse response)
    : BackgroundWork(answer, "GET", after is { } last ? string.Create(CultureInfo.InvariantCulture, $"?stream=true&starting_after={last}") : "?stream=true")
{
    public override Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted)
    {
        attempt.IsStream = true;
        response.SetHead(attempt, upstream, stream: true);
        return new Relay(exchange, attempt, response, timer, upstream).RunAsync(aborted);
    }
}

/// <summary>Deletes it; what the client is told of that is Ballast's own.</summary>
internal sealed class DeleteWork(KeptAnswer answer, string method, string action) : BackgroundWork(answer, method, action)
{
    public override Task<UpstreamFailure?> TakeAsync(Attempt attempt, UpstreamAnswer upstream, AttemptTimer timer, CancellationToken aborted) =>
        Task.FromResult<UpstreamFailure?>(null);
}
