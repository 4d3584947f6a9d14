using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Answers about what is kept: lists of items, conversations, deletions, and the errors for what is not there, in OpenAI's form.</summary>
public static class OpenAIResponsesDocuments
{
    /// <summary>Longest id of a caller that an error repeats.</summary>
    private const int IdLengthMax = 128;

    /// <summary>OpenAI tells it with 400, as a fault of the request.</summary>
    public static ChatError PreviousNotFound(string id) =>
        new(ChatErrorKind.InvalidRequest, $"Previous response with id '{Short(id)}' not found.") { Param = "previous_response_id", Code = "previous_response_not_found" };

    public static ChatError AnswerNotFound(string id) => new(ChatErrorKind.NotFound, $"Response with id '{Short(id)}' not found.");

    public static ChatError ConversationNotFound(string id) =>
        new(ChatErrorKind.NotFound, $"Conversation with id '{Short(id)}' not found.") { Param = "conversation" };

    public static ChatError ItemNotFound(string id) => new(ChatErrorKind.NotFound, $"Item with id '{Short(id)}' not found.");

    public static ChatError NotBackground(string id) =>
        new(ChatErrorKind.InvalidRequest, $"Cannot cancel a synchronous response ('{Short(id)}').") { Hint = "Close the connection to stop one that is running." };

    public static ChatError NotStreamed() =>
        new(ChatErrorKind.InvalidRequest, "This response cannot be streamed because it was not created with background=true.") { Param = "stream" };

    /// <summary>A page of items.</summary>
    public static void WriteList(IReadOnlyList<StoredItem> items, bool hasMore, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions);
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (StoredItem item in items)
        {
            json.WriteRawValue(item.Json.Span, skipInputValidation: true);
        }

        json.WriteEndArray();
        json.WriteString("first_id"u8, items.Count == 0 ? null : items[0].Id);
        json.WriteString("last_id"u8, items.Count == 0 ? null : items[^1].Id);
        json.WriteBoolean("has_more"u8, hasMore);
        json.WriteEndObject();
    }

    /// <param name="id">What was deleted.</param>
    /// <param name="what"><c>response</c>, or <c>conversation.deleted</c>.</param>
    /// <param name="output">Where it is written.</param>
    public static void WriteDeleted(string id, string what, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions);
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("object"u8, what);
        json.WriteBoolean("deleted"u8, true);
        json.WriteEndObject();
    }

    public static void WriteConversation(string id, long createdUnixSeconds, ReadOnlySpan<byte> metadata, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions);
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("object"u8, "conversation"u8);
        json.WriteNumber("created_at"u8, createdUnixSeconds);
        json.WritePropertyName("metadata"u8);
        json.WriteRawValue(metadata.IsEmpty ? "{}"u8 : metadata, skipInputValidation: true);
        json.WriteEndObject();
    }

    /// <summary>The labels in a body, <c>{}</c> where there are none.</summary>
    /// <exception cref="ProtocolException">The body is no object, or its labels are none.</exception>
    public static byte[] MetadataOf(ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = ParseBody(body);
        if (!document.RootElement.TryGetProperty("metadata"u8, out JsonElement metadata) || metadata.ValueKind == JsonValueKind.Null)
        {
            return "{}"u8.ToArray();
        }

        return metadata.ValueKind == JsonValueKind.Object
            ? System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(metadata).ToArray()
            : throw OpenAIResponsesFault.WrongType("metadata", "an object");
    }

    /// <summary>Checks a body that adds items to a conversation.</summary>
    /// <exception cref="ProtocolException">It does not fit.</exception>
    public static void CheckItems(ReadOnlyMemory<byte> body, bool isRequired)
    {
        using JsonDocument document = ParseBody(body);
        bool isThere = document.RootElement.TryGetProperty("items"u8, out JsonElement items) && items.ValueKind != JsonValueKind.Null;
        if (!isThere && !isRequired)
        {
            return;
        }

        if (!isThere)
        {
            throw OpenAIResponsesFault.Missing("/items");
        }

        if (items.ValueKind != JsonValueKind.Array || items.EnumerateArray().Any(static item => item.ValueKind != JsonValueKind.Object))
        {
            throw OpenAIResponsesFault.WrongType("items", "an array of objects");
        }

        if (items.GetArrayLength() > OpenAIResponsesInput.AddedItemsMax)
        {
            throw OpenAIResponsesFault.Invalid("/items", $"at most {OpenAIResponsesInput.AddedItemsMax} items can be added at once");
        }
    }

    private static JsonDocument ParseBody(ReadOnlyMemory<byte> body)
    {
        if (!Framing.JsonText.IsUnicode(body.Span))
        {
            throw ProtocolException.Invalid("A string of the request body is not valid Unicode text.");
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = OpenAIResponsesPeek.DepthMax });
        }
        catch (JsonException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }

        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            document.Dispose();
            throw ProtocolException.Invalid("The request body must be a JSON object.");
        }

        return document;
    }

    private static string Short(string id) => id.Length <= IdLengthMax ? id : id[..IdLengthMax];
}
