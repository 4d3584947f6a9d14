using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Names fields of an answer that no other protocol has, unless they say nothing. Pointers lead into the message as a whole: a stream is pointed into as if it had
/// been put together. Looked at once for each message, block and usage report, never for a piece of text.
/// </summary>
internal sealed class AnthropicMessagesAnswerLosses(LossReport losses)
{
    private static readonly string[] MessageFields =
        ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage", "stop_details", "message", "delta", "index"];
    private static readonly string[] StopFields = ["type", "explanation"];
    private static readonly string[] UsageFields =
    [
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "output_tokens_details",
    ];
    private static readonly string[] CitationFields = ["type", "url", "source", "title", "document_title", "cited_text"];

    /// <summary>A message, or one of the pieces in which a stream gives its fields.</summary>
    public void NoteMessage(ReadOnlySpan<byte> json)
    {
        Note(json, "", MessageFields);
        if (TryFind(json, "usage"u8, out ReadOnlySpan<byte> usage))
        {
            Note(usage, "/usage", UsageFields, zeroSays: false);
        }

        if (TryFind(json, "stop_details"u8, out ReadOnlySpan<byte> details))
        {
            Note(details, "/stop_details", StopFields);
        }
    }

    public void NoteBlock(ReadOnlySpan<byte> json, BlockKind kind, int index) => Note(json, JsonFields.Join("/content", index), kind switch
    {
        BlockKind.Text => ["type", "text", "citations"],
        BlockKind.Thinking => ["type", "thinking", "signature"],
        BlockKind.RedactedThinking => ["type", "data"],
        _ => ["type", "id", "name", "input"],
    });

    public void NoteCitation(ReadOnlySpan<byte> json, string pointer) => Note(json, pointer, CitationFields);

    private void Note(ReadOnlySpan<byte> json, string at, string[] known, bool zeroSays = true)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            return;
        }

        Utf8JsonReader reader = new(json, JsonFields.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string? name = null;
            if (!IsAny(reader, known) && !(at == "/usage" && IsTold(reader)))
            {
                name = JsonText.Lenient(ref reader);
            }

            if (SaysSomething(ref reader, zeroSays) && name is not null)
            {
                losses.AddInResponse(JsonFields.Join(at, name), $"The field {name} cannot cross protocols.");
            }
        }
    }

    /// <summary>What is told by an event of its own; whoever cannot write it names it.</summary>
    private static bool IsTold(Utf8JsonReader reader)
    {
        bool isTier = reader.ValueTextEquals("service_tier"u8);
        bool isGeo = reader.ValueTextEquals("inference_geo"u8);
        reader.Read();
        return reader.TokenType == JsonTokenType.String && ((isTier && ServiceTierWord.Common(reader.ValueSpan) is not null) || isGeo);
    }

    private static bool IsAny(in Utf8JsonReader reader, string[] names)
    {
        foreach (string name in names)
        {
            if (reader.ValueTextEquals(name))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryFind(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        Utf8JsonReader reader = new(json, JsonFields.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = reader.ValueTextEquals(name);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isIt)
            {
                value = json[start..(int)reader.BytesConsumed];
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Skips a property's value: nothing is said by null, by an empty text, by a list or object of nothing else, and by a count of zero.</summary>
    private static bool SaysSomething(ref Utf8JsonReader reader, bool zeroSays)
    {
        reader.Read();
        int depth = reader.CurrentDepth;
        bool says = false;
        do
        {
            says |= reader.TokenType is JsonTokenType.True or JsonTokenType.False
                || (reader.TokenType == JsonTokenType.Number && (zeroSays || (reader.TryGetDouble(out double number) && number != 0)))
                || (reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty);
        }
        while ((reader.CurrentDepth > depth || reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject) && reader.Read());
        return says;
    }
}
