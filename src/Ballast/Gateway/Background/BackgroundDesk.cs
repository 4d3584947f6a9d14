using Ballast.Catalog;
using Ballast.Conversations;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.OpenAIResponses;
using Ballast.Routing;

namespace Ballast.Gateway.Background;

/// <summary>
/// Looks at, ends, takes up and deletes answers that are worked on in the background, at the one deployment that works on them. Whoever sees the end closes the book on it
/// and keeps the answer, so that from then on it is read here.
/// </summary>
public sealed class BackgroundDesk(ConversationStore store, Failover failover, BackgroundBook book)
{
    /// <summary>What is asked about has a place, and no model answers for it.</summary>
    private static readonly Model s_noModel = new("", Selection.Ordered, [], 0);

    /// <summary>Asks how it stands, or ends it, and tells the client.</summary>
    /// <param name="exchange">Of a key whose answer it is.</param>
    /// <param name="answer">As it is kept.</param>
    /// <param name="method">Of the request to its vendor.</param>
    /// <param name="action">What stands behind the id there; empty for nothing.</param>
    /// <param name="response">Takes the answer.</param>
    /// <param name="aborted">The client has gone.</param>
    /// <exception cref="GatewayException">Its deployment is gone, or not lawful for the key.</exception>
    public Task LookAsync(Exchange exchange, KeptAnswer answer, string method, string action, ClientResponse response, CancellationToken aborted) =>
        AskAsync(exchange, answer, new LookWork(exchange, answer, method, action, this, response), response, aborted);

    /// <summary>Passes on its stream from an event on.</summary>
    /// <param name="exchange">Of a key whose answer it is.</param>
    /// <param name="answer">As it is kept.</param>
    /// <param name="after">The last event that the client has; null from the beginning.</param>
    /// <param name="response">Takes the stream.</param>
    /// <param name="aborted">The client has gone.</param>
    /// <exception cref="GatewayException">As above.</exception>
    public Task ResumeAsync(Exchange exchange, KeptAnswer answer, long? after, ClientResponse response, CancellationToken aborted)
    {
        exchange.State = OpenAIResponsesBackground.StateOf(answer.Json);
        response.Ending = () =>
        {
            if (exchange.State.Answer is { } told)
            {
                See(exchange, answer, OpenAIResponsesBackground.Read(told, answer.Json), exchange.Attempts[^1].Deployment);
            }
        };
        return AskAsync(exchange, answer, new ResumeWork(exchange, answer, after, response), response, aborted, isStream: true);
    }

    /// <summary>Deletes it at its vendor; true where it is not there any more.</summary>
    public async Task<bool> DeleteAsync(Exchange exchange, KeptAnswer answer, ClientResponse response, CancellationToken aborted)
    {
        DeleteWork work = new(answer, "DELETE", "");
        await AskAsync(exchange, answer, work, response, aborted).ConfigureAwait(false);
        return exchange.Attempts is [.., { UpstreamStatus: (>= 200 and < 300) or 404 }];
    }

    /// <summary>Books and keeps an answer at its end; nothing while it is worked on, or where that has been done.</summary>
    internal void See(Exchange exchange, KeptAnswer answer, OpenAIResponsesBackground seen, Deployment deployment)
    {
        if (seen.IsRunning)
        {
            return;
        }

        book.Settle(exchange.Key.Id, answer.Id, seen);
        string issuer = OpenAIResponsesInput.IssuerOf(deployment.Vendor, deployment.Provider.Name);
        store.Finish(exchange.Key.Id, answer.Id, seen.Json, OpenAIResponsesInput.OutputItems(seen.Json, issuer), OpenAIResponsesBackground.StateOf(answer.Json).ConversationId);
    }

    private Task AskAsync(Exchange exchange, KeptAnswer answer, AttemptWork work, ClientResponse response, CancellationToken aborted, bool isStream = false)
    {
        exchange.Envelope = new RequestEnvelope { Body = default, Model = "", Stream = isStream, StreamUsage = isStream };
        exchange.Model = s_noModel;
        Deployment deployment = exchange.Catalog.FindModel(answer.Place!) is { Candidates: [{ Deployment: { } found }] } && found.Name == answer.Place
            ? found
            : throw new GatewayException(GatewayError.ProviderRemoved);
        exchange.RequestedModel = answer.Place!;
        return exchange.Key.Allow.Allows(deployment.Data)
            ? failover.RunAsync(exchange, new RoutePlan([deployment]), response, aborted, work)
            : throw new GatewayException(GatewayError.NoLawfulDeployment);
    }
}
