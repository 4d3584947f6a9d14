using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>The kinds of stream event.</summary>
internal enum FrameKind
{
    Other,
    MessageStart,
    BlockStart,
    BlockDelta,
    BlockStop,
    MessageDelta,
    MessageStop,
    Ping,
    Error,
}

/// <summary>One stream event taken apart as far as its top level: its kind and where its payload lies. The whole of it is checked for valid JSON; nothing is copied.</summary>
internal struct AnthropicMessagesFrame
{
    public FrameKind Kind;
    public int Index;

    /// <summary>The value of <c>message</c>, <c>content_block</c> or <c>delta</c>.</summary>
    public JsonSpan Payload;
    public JsonSpan Usage;

    /// <exception cref="JsonException">The data is not a JSON object.</exception>
    public static AnthropicMessagesFrame Read(ServerSentEvent taken)
    {
        AnthropicMessagesFrame frame = default;
        Utf8JsonReader json = new(taken.Data, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        bool hasType = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("type"u8))
            {
                json.Read();
                hasType = json.TokenType == JsonTokenType.String;
                frame.Kind = hasType ? KindOf(json.ValueSpan) : FrameKind.Other;
            }
            else if (json.ValueTextEquals("index"u8))
            {
                json.Read();
                frame.Index = json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int index) ? index : 0;
            }
            else if (json.ValueTextEquals("delta"u8) || json.ValueTextEquals("content_block"u8) || json.ValueTextEquals("message"u8))
            {
                frame.Payload = TakeSpan(ref json);
            }
            else if (json.ValueTextEquals("usage"u8))
            {
                frame.Usage = TakeSpan(ref json);
            }
            else
            {
                json.Read();
            }

            json.Skip();
        }

        // Refuses anything behind the object.
        json.Read();
        if (!hasType)
        {
            frame.Kind = KindOf(taken.Name);
        }

        return frame;
    }

    private static JsonSpan TakeSpan(ref Utf8JsonReader json)
    {
        json.Read();
        int start = (int)json.TokenStartIndex;
        json.Skip();
        return new JsonSpan(start, (int)json.BytesConsumed - start);
    }

    private static FrameKind KindOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("content_block_delta"u8) ? FrameKind.BlockDelta
        : name.SequenceEqual("ping"u8) ? FrameKind.Ping
        : name.SequenceEqual("content_block_start"u8) ? FrameKind.BlockStart
        : name.SequenceEqual("content_block_stop"u8) ? FrameKind.BlockStop
        : name.SequenceEqual("message_start"u8) ? FrameKind.MessageStart
        : name.SequenceEqual("message_delta"u8) ? FrameKind.MessageDelta
        : name.SequenceEqual("message_stop"u8) ? FrameKind.MessageStop
        : name.SequenceEqual("error"u8) ? FrameKind.Error
        : FrameKind.Other;
}

/// <summary>What a <c>content_block_delta</c> adds to.</summary>
internal enum DeltaKind
{
    Other,
    Text,
    Thinking,
    Arguments,
    Signature,
    Citation,
}

/// <summary>The <c>delta</c> of a <c>content_block_delta</c>; its string is taken out only where events are wanted.</summary>
internal struct AnthropicMessagesDelta
{
    public DeltaKind Kind;

    /// <summary>Bytes of text, reasoning or arguments.</summary>
    public long Length;
    public string? Text;
    public JsonSpan Citation;

    public readonly bool IsEmpty => Kind is DeltaKind.Other || (Kind is DeltaKind.Text or DeltaKind.Thinking or DeltaKind.Arguments && Length == 0);

    public static AnthropicMessagesDelta Read(ReadOnlySpan<byte> data, bool withStrings)
    {
        AnthropicMessagesDelta delta = default;
        Utf8JsonReader json = new(data, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return delta;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            DeltaKind kind = KindOf(ref json);
            json.Read();
            if (kind == DeltaKind.Citation && json.TokenType == JsonTokenType.StartObject)
            {
                int start = (int)json.TokenStartIndex;
                json.Skip();
                delta.Kind = kind;
                delta.Citation = new JsonSpan(start, (int)json.BytesConsumed - start);
            }
            else if (kind is not (DeltaKind.Other or DeltaKind.Citation) && json.TokenType == JsonTokenType.String)
            {
                delta.Kind = kind;
                delta.Length = kind == DeltaKind.Signature ? 0 : AnthropicMessagesJson.TextLength(ref json);
                delta.Text = withStrings ? AnthropicMessagesJson.LenientText(ref json) : null;
            }

            json.Skip();
        }

        return delta;
    }

    private static DeltaKind KindOf(ref Utf8JsonReader json) =>
        json.ValueTextEquals("text"u8) ? DeltaKind.Text
        : json.ValueTextEquals("partial_json"u8) ? DeltaKind.Arguments
        : json.ValueTextEquals("thinking"u8) ? DeltaKind.Thinking
        : json.ValueTextEquals("signature"u8) ? DeltaKind.Signature
        : json.ValueTextEquals("citation"u8) ? DeltaKind.Citation
        : DeltaKind.Other;
}

/// <summary>Why a message stopped, as <c>message_delta</c> and whole bodies tell it.</summary>
internal struct AnthropicMessagesStop
{
    public string? Reason;
    public string? Sequence;

    /// <summary>The vendor's words for a refusal (<c>stop_details.explanation</c>).</summary>
    public string? Explanation;

    public static AnthropicMessagesStop Read(ReadOnlySpan<byte> data)
    {
        AnthropicMessagesStop stop = default;
        if (data.IsEmpty)
        {
            return stop;
        }

        Utf8JsonReader json = new(data, AnthropicMessagesJson.ReaderOptions);
        json.Read();
        while (json.TokenType != JsonTokenType.None && json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            stop.ReadField(ref json);
        }

        return stop;
    }

    /// <summary>Takes the field at whose name the reader stands, if it is one of these, and leaves the reader at its value's end.</summary>
    public void ReadField(ref Utf8JsonReader json)
    {
        int field = json.ValueTextEquals("stop_reason"u8) ? 1
            : json.ValueTextEquals("stop_sequence"u8) ? 2
            : json.ValueTextEquals("stop_details"u8) ? 3
            : 0;
        json.Read();
        if (field == 3 && json.TokenType == JsonTokenType.StartObject)
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isExplanation = json.ValueTextEquals("explanation"u8);
                json.Read();
                Explanation = isExplanation && json.TokenType == JsonTokenType.String ? AnthropicMessagesJson.LenientText(ref json) : Explanation;
                json.Skip();
            }

            return;
        }

        if (field is 1 or 2 && json.TokenType == JsonTokenType.String)
        {
            string value = AnthropicMessagesJson.LenientText(ref json);
            Reason = field == 1 ? value : Reason;
            Sequence = field == 2 ? value : Sequence;
        }

        json.Skip();
    }
}
