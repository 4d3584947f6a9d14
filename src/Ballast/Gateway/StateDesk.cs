using System.Globalization;
using System.Security.Cryptography;
using Ballast.Conversations;
using Ballast.Exchanges;
using Ballast.Gateway.Background;
using Ballast.Protocols;
using Ballast.Protocols.OpenAIResponses;
using Ballast.Transport;

namespace Ballast.Gateway;

/// <summary>Answers requests about what is kept: read, listed, labelled, deleted. Whoever asks finds only what is its key's own; anything else is not there.</summary>
public sealed class StateDesk(ConversationStore? store, BackgroundDesk? background)
{
    private const int PageMax = 100;
    private const int PageDefault = 20;

    /// <summary>Writes the answer; true where it was sent as well.</summary>
    /// <exception cref="GatewayException">Nothing is kept.</exception>
    /// <exception cref="ProtocolException">There is no such thing, or the request does not fit.</exception>
    public async Task<bool> AnswerAsync(Exchange exchange, StatePath path, HttpCall http, ReadOnlyMemory<byte> body, ClientResponse response)
    {
        if (store is null || background is null)
        {
            throw new GatewayException(GatewayError.StateOff);
        }

        try
        {
            if (path.IsAnswer)
            {
                return await OfAnswerAsync(store, background, exchange, path, http, response).ConfigureAwait(false);
            }

            await OfConversationAsync(store, exchange, path, http, body, response).ConfigureAwait(false);
            return false;
        }
        catch (ConversationStoreException failure)
        {
            throw new GatewayException(GatewayError.StateUnreadable.ToChatError(failure.Message), GatewayError.StateUnreadable.Code);
        }
    }

    private static async Task<bool> OfAnswerAsync(
        ConversationStore store, BackgroundDesk background, Exchange exchange, StatePath path, HttpCall http, ClientResponse response)
    {
        string key = exchange.Key.Id;
        string id = path.Id!;
        if (path.Part == "input_items")
        {
            await PageAsync(store, key, id, isAnswer: true, http, response).ConfigureAwait(false);
            return false;
        }

        KeptAnswer answer = await store.FindAnswerAsync(key, id).ConfigureAwait(false) ?? throw new ProtocolException(OpenAIResponsesDocuments.AnswerNotFound(id));
        if (path.Part == "cancel")
        {
            await background.LookAsync(
                exchange, answer.Place is null ? throw new ProtocolException(OpenAIResponsesDocuments.NotBackground(id)) : answer, "POST", "/cancel", response, http.Aborted).ConfigureAwait(false);
            return true;
        }

        if (http.Method == "DELETE")
        {
            return await DeleteAsync(store, background, exchange, answer, response, http.Aborted).ConfigureAwait(false);
        }

        if (http.Query("stream") == "true")
        {
            long? after = ReadAfter(http);
            await background.ResumeAsync(exchange, answer.Place is null ? throw new ProtocolException(OpenAIResponsesDocuments.NotStreamed()) : answer, after, response, http.Aborted).ConfigureAwait(false);
            return true;
        }

        if (answer.IsAtWork)
        {
            await background.LookAsync(exchange, answer, "GET", "", response, http.Aborted).ConfigureAwait(false);
            return true;
        }

        System.Buffers.BuffersExtensions.Write(response.Output, answer.Json);
        return false;
    }

    /// <summary>One that its vendor keeps as well is deleted there first: erased means erased.</summary>
    private static async Task<bool> DeleteAsync(
        ConversationStore store, BackgroundDesk background, Exchange exchange, KeptAnswer answer, ClientResponse response, CancellationToken aborted)
    {
        bool isSent = false;
        if (answer.Place is not null)
        {
            bool isGone = await background.DeleteAsync(exchange, answer, response, aborted).ConfigureAwait(false);
            isSent = exchange.Attempts is not [.., { Result: AttemptResult.Completed }];
            if (!isGone)
            {
                return isSent;
            }
        }

        await store.DeleteAnswerAsync(exchange.Key.Id, answer.Id).ConfigureAwait(false);
        if (!isSent)
        {
            OpenAIResponsesDocuments.WriteDeleted(answer.Id, "response", response.Output);
        }

        return isSent;
    }

    private static long? ReadAfter(HttpCall http)
    {
        if (http.Query("starting_after") is not { Length: > 0 } word)
        {
            return null;
        }

        return long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw ProtocolException.Invalid("Invalid 'starting_after': expected a whole number.", "starting_after");
    }

    private static async Task PageAsync(ConversationStore store, string key, string id, bool isAnswer, HttpCall http, ClientResponse response)
    {
        string? word = http.Query("limit");
        int limit = PageDefault;
        if (word is not null && (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > PageMax))
        {
            throw ProtocolException.Invalid($"Invalid 'limit': expected a whole number from 1 to {PageMax}.", "limit");
        }

        ItemPage page = await store.ItemsAsync(key, id, isAnswer, limit, http.Query("order") != "asc", http.Query("after")).ConfigureAwait(false)
            ?? throw new ProtocolException(isAnswer ? OpenAIResponsesDocuments.AnswerNotFound(id) : OpenAIResponsesDocuments.ConversationNotFound(id));
        OpenAIResponsesDocuments.WriteList(page.Items, page.HasMore, response.Output);
    }

    private static async Task OfConversationAsync(
        ConversationStore store, Exchange exchange, StatePath path, HttpCall http, ReadOnlyMemory<byte> body, ClientResponse response)
    {
        string key = exchange.Key.Id;
        if (path.Id is not { } id)
        {
            await CreateAsync(store, exchange, body, response).ConfigureAwait(false);
            return;
        }

        if (path.Part is not null)
        {
            await OfItemsAsync(store, exchange, path, http, body, response).ConfigureAwait(false);
            return;
        }

        if (http.Method == "DELETE")
        {
            if (!await store.DeleteConversationAsync(key, id).ConfigureAwait(false))
            {
                throw new ProtocolException(OpenAIResponsesDocuments.ConversationNotFound(id));
            }

            OpenAIResponsesDocuments.WriteDeleted(id, "conversation.deleted", response.Output);
            return;
        }

        StoredConversation? found = http.Method == "POST"
            ? await store.RelabelAsync(key, id, OpenAIResponsesDocuments.MetadataOf(body)).ConfigureAwait(false)
            : await store.FindConversationAsync(key, id).ConfigureAwait(false);
        Write(found ?? throw new ProtocolException(OpenAIResponsesDocuments.ConversationNotFound(id)), response);
    }

    private static async Task CreateAsync(ConversationStore store, Exchange exchange, ReadOnlyMemory<byte> body, ClientResponse response)
    {
        ReadOnlyMemory<byte> given = body.IsEmpty ? "{}"u8.ToArray() : body;
        OpenAIResponsesDocuments.CheckItems(given, isRequired: false);
        byte[] metadata = OpenAIResponsesDocuments.MetadataOf(given);
        StoredConversation made = new(
            $"conv_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24))}", exchange.Time.GetUtcNow().ToUnixTimeSeconds(), metadata);
        await store.CreateConversationAsync(exchange.Key.Id, made, OpenAIResponsesInput.OwnItems(given, exchange.Id[4..])).ConfigureAwait(false);
        Write(made, response);
    }

    private static void Write(StoredConversation conversation, ClientResponse response) =>
        OpenAIResponsesDocuments.WriteConversation(conversation.Id, conversation.CreatedUnixSeconds, conversation.Metadata.Span, response.Output);

    private static async Task OfItemsAsync(
        ConversationStore store, Exchange exchange, StatePath path, HttpCall http, ReadOnlyMemory<byte> body, ClientResponse response)
    {
        string key = exchange.Key.Id;
        string id = path.Id!;
        if (path.ItemId is { } itemId)
        {
            await OfItemAsync(store, key, id, itemId, http, response).ConfigureAwait(false);
        }
        else if (http.Method == "POST")
        {
            OpenAIResponsesDocuments.CheckItems(body, isRequired: true);
            IReadOnlyList<StoredItem> added = OpenAIResponsesInput.OwnItems(body, exchange.Id[4..]);
            if (!await store.AddItemsAsync(key, id, added).ConfigureAwait(false))
            {
                throw new ProtocolException(OpenAIResponsesDocuments.ConversationNotFound(id));
            }

            OpenAIResponsesDocuments.WriteList(added, hasMore: false, response.Output);
        }
        else
        {
            await PageAsync(store, key, id, isAnswer: false, http, response).ConfigureAwait(false);
        }
    }

    private static async Task OfItemAsync(ConversationStore store, string key, string id, string itemId, HttpCall http, ClientResponse response)
    {
        if (http.Method == "DELETE")
        {
            // Deleting an item gives the conversation without it.
            bool isDeleted = await store.DeleteItemAsync(key, id, itemId).ConfigureAwait(false);
            StoredConversation? left = await store.FindConversationAsync(key, id).ConfigureAwait(false);
            Write(isDeleted && left is not null ? left : throw new ProtocolException(OpenAIResponsesDocuments.ItemNotFound(itemId)), response);
            return;
        }

        StoredItem item = await store.FindItemAsync(key, id, itemId).ConfigureAwait(false) ?? throw new ProtocolException(OpenAIResponsesDocuments.ItemNotFound(itemId));
        System.Buffers.BuffersExtensions.Write(response.Output, item.Json.Span);
    }
}
