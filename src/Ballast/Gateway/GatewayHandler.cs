using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Gateway.Background;
using Ballast.Gateway.Files;
using Ballast.Gateway.Signals;
using Ballast.Guards;
using Ballast.Guards.Leases;
using Ballast.Handles;
using Ballast.Idempotency;
using Ballast.Protocols;
using Ballast.Routing;
using Ballast.Telemetry;
using Ballast.Transport;
using Microsoft.Extensions.Logging;

namespace Ballast.Gateway;

/// <summary>The table of contents of a request, straight down: receive, admit, plan, answer, settle, record.</summary>
public sealed class GatewayHandler(
    CatalogHolder catalog, Guard guard, WaitingRoom room, Failover failover, TokenCount tokenCount, FileHandler files, Bookkeeper bookkeeper, StateKeeper state,
    StateDesk desk, BackgroundBook background, BatchBook batches, ConstitutionDesk constitution, IdempotencyDesk idempotency, ExchangeTracer tracer, TimeProvider time, ILogger log)
{
    /// <summary>Answers one request, whatever happens.</summary>
    /// <param name="http">The request.</param>
    /// <param name="protocol">Whose protocol its body is in.</param>
    /// <param name="operation">What is asked for.</param>
    /// <param name="address">What path and query say.</param>
    /// <param name="spoken">Whose errors the caller reads, where the body is only passed on; null where they are the protocol's.</param>
    public async Task HandleAsync(HttpCall http, Protocol protocol, Operation operation, RequestAddress address, Protocol? spoken = null)
    {
        Exchange exchange = new(protocol, operation, catalog.Current, time) { Address = address, Spoken = spoken ?? protocol };
        using RecordedCall? recorded = idempotency.Open(http, operation);                       // null without an Idempotency-Key
        using ClientResponse response = new(recorded ?? http, exchange, bookkeeper) { Keeper = state, Recorded = recorded };
        using ClientRequest request = new(http);
        CancellationToken aborted = http.Aborted;
        RoutePlan? plan = null;
        string? refusal = null;
        try
        {
            await AdmitAsync(exchange, Credentials.Find(http, protocol.KeyParameter), http).ConfigureAwait(false); // key, limits, room
            tracer.Begin(exchange, http);
            if (operation is Operation.Models or Operation.Version)
            {
                string? name = http.Method == "POST" ? ModelList.NameIn(await request.ReceiveBodyAsync(exchange).ConfigureAwait(false)) : address.Model;
                await ModelList.SendAsync(exchange, name, response, http, aborted).ConfigureAwait(false);
                return;
            }

            if (OperationName.IsOfKept(operation))
            {
                Guard.CheckFile(exchange);
                ConstitutionDesk.CheckBatch(exchange);
                await files.RunAsync(exchange, request, response, aborted).ConfigureAwait(false); // stays with its provider
                return;
            }

            await request.ReceiveAsync(exchange).ConfigureAwait(false);                         // body; Peek: model, stream
            if (recorded is not null && await recorded.TakeAsync(exchange).ConfigureAwait(false) is { } original)
            {
                log.Replayed(exchange.Id, original);
                return;
            }

            aborted = recorded?.Aborted ?? aborted;
            await FindModelAsync(exchange, aborted).ConfigureAwait(false);
            await state.PrepareAsync(exchange).ConfigureAwait(false);                           // what was said before, where Ballast keeps it
            Guard.Redact(exchange);                                                             // values that may not leave, where its app has such
            StateKeeper.CheckRedacted(exchange);
            await constitution.BeginAsync(exchange, aborted).ConfigureAwait(false);             // what it may not ask for
            plan = await room.PlanAsync(exchange, aborted).ConfigureAwait(false);               // ordered, lawful candidates with room
            if (operation == Operation.CountTokens)
            {
                await tokenCount.RunAsync(exchange, plan, http, response, aborted).ConfigureAwait(false);
                return;
            }

            await failover.RunAsync(exchange, plan, response, aborted).ConfigureAwait(false);   // attempt, judge, next
            if (ConstitutionDesk.Revise(exchange, plan, response))
            {
                plan = await room.PlanAsync(exchange, aborted).ConfigureAwait(false);
                await failover.RunAsync(exchange, plan, response, aborted).ConfigureAwait(false); // once more, told the principle
            }
        }
        catch (Exception exception)
        {
            tracer.Begin(exchange, http);
            refusal = await RefuseAsync(exchange, response, exception, aborted).ConfigureAwait(false); // in the caller's own protocol
        }
        finally
        {
            plan?.Share?.Settle(exchange.Attempts);
            await SettleAsync(exchange, recorded).ConfigureAwait(false);                        // rows and budgets, whatever happened
            ExchangeTracer.End(exchange, http, refusal);
        }
    }

    private async ValueTask SettleAsync(Exchange exchange, RecordedCall? recorded)
    {
        // An answer in the background has its row and gives back its reservation when its end is seen.
        bool isAtWork = StateKeeper.IsAtWork(exchange);
        if (!isAtWork)
        {
            bookkeeper.Close(exchange);
        }

        if (recorded is not null)
        {
            await recorded.EndAsync().ConfigureAwait(false);
        }

        if (isAtWork)
        {
            background.Park(exchange);
        }
        else
        {
            batches.Settle(exchange);
        }
    }

    /// <summary>Answers a request about what is kept here.</summary>
    public async Task HandleStateAsync(HttpCall http, StatePath path)
    {
        Exchange exchange = new(ProtocolList.OpenAIResponses, Operation.State, catalog.Current, time);
        using ClientResponse response = new(http, exchange, bookkeeper);
        using ClientRequest request = new(http);
        CancellationToken aborted = http.Aborted;
        string? refusal = null;
        try
        {
            await AdmitAsync(exchange, Credentials.Find(http), http).ConfigureAwait(false);
            tracer.Begin(exchange, http);
            ReadOnlyMemory<byte> body = http.Method == "POST" ? await request.ReceiveBodyAsync(exchange).ConfigureAwait(false) : default;
            if (await desk.AnswerAsync(exchange, path, http, body, response).ConfigureAwait(false))
            {
                return;
            }

            http.SetHeader("Content-Type", "application/json");
            response.SetIds();
            await response.SendHeldAsync(aborted).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            tracer.Begin(exchange, http);
            refusal = await RefuseAsync(exchange, response, exception, aborted).ConfigureAwait(false);
        }
        finally
        {
            bookkeeper.Close(exchange);
            guard.Settle(exchange);
            ExchangeTracer.End(exchange, http, refusal);
        }
    }

    /// <summary>Refuses what is no request of any protocol: an unknown path, a wrong method, a gateway that does not serve.</summary>
    public async Task RefuseAsync(HttpCall http, Protocol protocol, GatewayError error, string? allowedMethod = null, string? detail = null)
    {
        Exchange exchange = new(protocol, Operation.Models, catalog.Current, time);
        using ClientResponse response = new(http, exchange, bookkeeper);
        tracer.Begin(exchange, http);
        int status = await response.RejectAsync(error.ToChatError(detail), allowedMethod: allowedMethod).ConfigureAwait(false);
        log.Refused(exchange.Id, error.Code, status);
        ExchangeTracer.End(exchange, http, error.Code);
    }

    private ValueTask AdmitAsync(Exchange exchange, ReadOnlyMemory<char> key, HttpCall http)
    {
        try
        {
            guard.Admit(exchange, key, http);
            return default;
        }
        catch (LeaseShortException empty)
        {
            return AdmitAgainAsync(exchange, empty, key, http);
        }
    }

    private ValueTask AdmitAgainAsync(Exchange exchange, LeaseShortException empty, ReadOnlyMemory<char> key, HttpCall http) =>
        guard.TakeAgainAsync(exchange, empty, () => guard.Admit(exchange, key, http), http.Aborted);

    private ValueTask FindModelAsync(Exchange exchange, CancellationToken aborted)
    {
        exchange.RequestedModel = exchange.Address.Model ?? exchange.Envelope.Model;
        exchange.Model = exchange.Catalog.FindModel(exchange.RequestedModel) ?? throw new GatewayException(GatewayError.ModelNotFound, param: "model");
        long input = TokenEstimate.OfLength(exchange.Envelope.Body.Length);
        long output = CostBound.OutputOf(exchange, exchange.Model.Candidates.Count > 0 ? exchange.Model.Candidates[0].Deployment : null);
        try
        {
            Guard.Check(exchange, exchange.Model, input, output);
            return default;
        }
        catch (LeaseShortException empty)
        {
            return CheckAgainAsync(exchange, empty, input, output, aborted);
        }
    }

    /// <summary>Apart from the usual way, which makes nothing that this one needs.</summary>
    private ValueTask CheckAgainAsync(Exchange exchange, LeaseShortException empty, long input, long output, CancellationToken aborted) =>
        guard.TakeAgainAsync(exchange, empty, () => Guard.Check(exchange, exchange.Model, input, output), aborted);

    /// <summary>Returns the refusal's code; null where nobody is there to be told.</summary>
    private async Task<string?> RefuseAsync(Exchange exchange, ClientResponse response, Exception exception, CancellationToken aborted)
    {
        if (exception is OperationCanceledException && (aborted.IsCancellationRequested || exception is ClientGoneException))
        {
            return null;
        }

        (Protocols.Conversation.ChatError error, string code) = exception switch
        {
            GatewayException failure => (failure.Error, failure.Code),
            ProtocolException failure => (GatewayError.Complete(failure.Error), GatewayError.InvalidRequest.Code),
            HandleStoreException => Plain(GatewayError.HandlesUnavailable),
            IdempotencyStoreException => Plain(GatewayError.IdempotencyUnavailable),
            BodyTooLargeException => Plain(GatewayError.BodyTooLarge),
            BodyTooSlowException => Plain(GatewayError.BodyTooSlow),
            IOException => Plain(GatewayError.BodyUnreadable),
            _ => Plain(GatewayError.Internal),
        };
        if (code == GatewayError.Internal.Code || exception is HandleStoreException or IdempotencyStoreException)
        {
            log.Internal(exception, exchange.Id);
        }

        if (response.IsCommitted && exchange.CutsBrokenAnswers)
        {
            await response.SettleAsync(isAnswer: false).ConfigureAwait(false);
            response.Cut();
            return code;
        }

        if (response.IsCommitted)
        {
            exchange.Protocol.WriteStreamError(error with { RequestId = exchange.Id }, response.Output);
            response.End();
            await response.SettleAsync(isAnswer: false).ConfigureAwait(false);
            await response.FlushAsync(aborted).ConfigureAwait(false);
            return code;
        }

        int status = await response.RejectAsync(error).ConfigureAwait(false);
        if (status >= 500 && exchange.Attempts.Count == 0)
        {
            bookkeeper.NoteTurnedAway();
        }

        log.Refused(exchange.Id, code, status);
        return code;
    }

    private static (Protocols.Conversation.ChatError Error, string Code) Plain(GatewayError error) => (error.ToChatError(), error.Code);
}
