using Ballast.Conversations;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.OpenAIResponses;

namespace Ballast.Gateway;

/// <summary>
/// The state of the one protocol whose vendors would keep some. It is Ballast's own, so that a conversation goes on at whichever platform answers: before a request is
/// sent, what was said before is put into it; when its answer has ended, both are kept.
/// </summary>
public sealed class StateKeeper(ConversationStore? store)
{
    /// <summary>Reads what the request refers to and puts it into the request.</summary>
    /// <exception cref="GatewayException">It refers to what is not there, or what is not offered.</exception>
    public async Task PrepareAsync(Exchange exchange)
    {
        if (exchange.Envelope.State is not { } wish)
        {
            return;
        }

        bool isBackground = wish.Background && exchange.Operation == Operation.Chat;
        if (isBackground)
        {
            CheckBackground(wish);
        }

        exchange.Demands = exchange.Operation == Operation.Compact ? TargetFeatures.Compaction : isBackground ? TargetFeatures.Background : TargetFeatures.None;

        if (wish is { PreviousResponseId: not null, ConversationId: not null })
        {
            throw new ProtocolException(new ChatError(
                ChatErrorKind.InvalidRequest, "Only one of 'previous_response_id' and 'conversation' can be given.") { Param = "previous_response_id", Code = "mutually_exclusive_parameters" });
        }

        bool goesOn = wish.PreviousResponseId is not null || wish.ConversationId is not null;
        if (store is null && goesOn)
        {
            throw new GatewayException(GatewayError.StateOff, param: wish.PreviousResponseId is not null ? "previous_response_id" : "conversation");
        }

        exchange.ClientBody = exchange.Envelope.Body;
        IReadOnlyList<string> named = store is not null && wish.HasReferences ? References(exchange) : [];
        if (goesOn || named.Count > 0)
        {
            EarlierItems earlier = await ReadAsync(exchange, wish, named).ConfigureAwait(false);
            byte[] body = OpenAIResponsesInput.Expand(exchange.ClientBody, earlier.Items, id => earlier.Named.GetValueOrDefault(id));
            exchange.Envelope = exchange.Protocol.Peek(body, exchange.Address);
        }

        if (exchange.Operation == Operation.Compact)
        {
            return; // What comes is no answer.
        }

        exchange.State = new AnswerState
        {
            IsBackground = isBackground,
            PreviousResponseId = wish.PreviousResponseId,
            ConversationId = wish.ConversationId,
            IsStored = store is { HasRoom: true } && exchange.Operation == Operation.Chat && wish.Store != false,
        };
    }

    /// <summary>The answer is worked on in the background, and its end has not been seen by this request.</summary>
    public static bool IsAtWork(Exchange exchange) => exchange is { Operation: Operation.Chat, State: { IsBackground: true, Begun: not null, Answer: null } };

    /// <summary>Values are put back only while their request lasts.</summary>
    /// <exception cref="GatewayException">The answer is wanted in the background, and values were taken out of its request.</exception>
    public static void CheckRedacted(Exchange exchange)
    {
        if (exchange is { Screen: not null, Demands: TargetFeatures.Background })
        {
            throw new GatewayException(GatewayError.BackgroundRedacted, param: "background");
        }
    }

    /// <summary>Remembers where an answer in the background is worked on, once; nothing for any other.</summary>
    public void Begin(Exchange exchange)
    {
        if (exchange.State is { IsBackground: true, Begun: { } begun, IsPlaced: false } state && OpenAIResponsesInput.AnswerIdOf(begun) is { } id)
        {
            state.IsPlaced = true;
            store?.Keep(Stored(exchange, id, begun, exchange.Attempts[^1].Deployment), conversationId: null, isListed: true);
        }
    }

    private void CheckBackground(StateWish wish)
    {
        if (store is null)
        {
            throw new GatewayException(GatewayError.StateOff, param: "background");
        }

        if (wish.Store == false)
        {
            throw ProtocolException.Invalid("Background mode requires store=true.", "background");
        }

        if (!store.HasRoom)
        {
            throw new GatewayException(GatewayError.StateUnreadable);
        }
    }

    // A body that is not valid text is refused where it is read in full.
    private static IReadOnlyList<string> References(Exchange exchange)
    {
        try
        {
            return OpenAIResponsesInput.ReferencesOf(exchange.ClientBody);
        }
        catch (Exception broken) when (broken is System.Text.Json.JsonException or InvalidOperationException)
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text.");
        }
    }

    private async Task<EarlierItems> ReadAsync(Exchange exchange, StateWish wish, IReadOnlyList<string> named)
    {
        EarlierItems earlier;
        try
        {
            earlier = await store!.EarlierAsync(
                exchange.Key.Id, wish.PreviousResponseId, wish.ConversationId, named, exchange.Catalog.Limits.RequestBodyBytesMax).ConfigureAwait(false);
        }
        catch (ConversationStoreException failure)
        {
            throw new GatewayException(GatewayError.StateUnreadable.ToChatError(failure.Message), GatewayError.StateUnreadable.Code);
        }

        if (earlier.Missing is { } missing)
        {
            ChatError error = wish.ConversationId is not null ? OpenAIResponsesDocuments.ConversationNotFound(missing) : OpenAIResponsesDocuments.PreviousNotFound(missing);
            throw new ProtocolException(error);
        }

        return earlier;
    }

    /// <summary>Keeps an answer that is whole, once, before its end goes out: what is asked for afterwards comes later in the store's queue. Nothing here waits.</summary>
    public void Keep(Exchange exchange)
    {
        if (store is null || exchange.State is not { Answer: { } answer } state || exchange.Attempts is not [.., { Result: AttemptResult.Completed } attempt])
        {
            return;
        }

        if (OpenAIResponsesInput.AnswerIdOf(answer) is not { } id || (!state.IsStored && state.ConversationId is null))
        {
            return;
        }

        if (state is { IsBackground: true, IsPlaced: true })
        {
            string issuer = OpenAIResponsesInput.IssuerOf(attempt.Deployment.Vendor, attempt.Deployment.Provider.Name);
            store.Finish(exchange.Key.Id, id, answer, OpenAIResponsesInput.OutputItems(answer, issuer), state.ConversationId);
        }
        else
        {
            store.Keep(Stored(exchange, id, answer, attempt.Deployment), state.ConversationId, state.IsStored);
        }

        exchange.State = null;
    }

    private static StoredAnswer Stored(Exchange exchange, string id, byte[] answer, Catalog.Deployment deployment) => new()
    {
        KeyId = exchange.Key.Id,
        Id = id,
        PreviousId = exchange.State!.PreviousResponseId,
        Json = answer,
        Input = OpenAIResponsesInput.OwnItems(exchange.ClientBody, exchange.Id[4..]),
        Output = OpenAIResponsesInput.OutputItems(answer, OpenAIResponsesInput.IssuerOf(deployment.Vendor, deployment.Provider.Name)),
        Place = exchange.State.IsBackground ? deployment.Name : null,
        IsAtWork = IsAtWork(exchange),
    };
}
