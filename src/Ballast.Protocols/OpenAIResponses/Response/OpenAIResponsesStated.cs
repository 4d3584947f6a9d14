using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>The state that Ballast keeps, told in a vendor's own response object: the vendor was asked to keep nothing and knows of nothing.</summary>
internal static class OpenAIResponsesStated
{
    /// <summary>The object with what it says of state replaced; every other value stays as it is.</summary>
    public static byte[] Edit(ReadOnlySpan<byte> response, AnswerState state)
    {
        using JsonDocument document = Parse(response);
        ArrayBufferWriter<byte> output = new(response.Length + 256);
        using (Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions))
        {
            json.WriteStartObject();
            foreach (JsonProperty field in document.RootElement.EnumerateObject())
            {
                if (field.Name is not ("previous_response_id" or "conversation" or "store"))
                {
                    json.WritePropertyName(field.Name);
                    json.WriteRawValue(JsonMarshal.GetRawUtf8Value(field.Value), skipInputValidation: true);
                }
            }

            json.WriteString("previous_response_id"u8, state.PreviousResponseId);
            WriteConversation(json, state.ConversationId);
            json.WriteBoolean("store"u8, state.IsStored);
            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>The object with the items that a stream told before, where its last event holds none.</summary>
    public static byte[] Complete(byte[] response, AnswerState state)
    {
        using JsonDocument document = Parse(response);
        bool hasOutput = document.RootElement.TryGetProperty("output"u8, out JsonElement output) && output.ValueKind == JsonValueKind.Array && output.GetArrayLength() >= state.Items.Count;
        if (hasOutput)
        {
            return response;
        }

        ArrayBufferWriter<byte> whole = new(response.Length * 2);
        using (Utf8JsonWriter json = new(whole, OpenAIResponsesProtocol.WriterOptions))
        {
            json.WriteStartObject();
            foreach (JsonProperty field in document.RootElement.EnumerateObject().Where(static field => !field.NameEquals("output"u8)))
            {
                json.WritePropertyName(field.Name);
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(field.Value), skipInputValidation: true);
            }

            json.WriteStartArray("output"u8);
            foreach (byte[] item in state.Items)
            {
                json.WriteRawValue(item, skipInputValidation: true);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return whole.WrittenSpan.ToArray();
    }

    public static void WriteConversation(Utf8JsonWriter json, string? id)
    {
        if (id is not null)
        {
            json.WriteStartObject("conversation"u8);
            json.WriteString("id"u8, id);
            json.WriteEndObject();
        }
    }

    private static JsonDocument Parse(ReadOnlySpan<byte> json) =>
        JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = OpenAIResponsesFrame.ReaderOptions.MaxDepth });
}
