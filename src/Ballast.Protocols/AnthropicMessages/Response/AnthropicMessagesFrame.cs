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

    /// <exception cref="System.Text.Json.JsonException">The data is not a JSON object.</exception>
    public static AnthropicMessagesFrame Read(ServerSentEvent taken)
    {
        AnthropicMessagesFrame frame = default;
        JsonScan json = new(taken.Data, JsonFields.DepthMax);
        bool hasType = false;
        json.EnterObject();
        while (json.NextField())
        {
            if (json.Is("type"u8))
            {
                hasType = json.First() == (byte)'"';
                frame.Kind = hasType ? KindOf(json.Text()) : FrameKind.Other;
                if (hasType)
                {
                    continue;
                }
            }
            else if (json.Is("index"u8))
            {
                frame.Index = json.Integer() is long index and >= int.MinValue and <= int.MaxValue ? (int)index : 0;
                continue;
            }
            else if (json.Is("delta"u8) || json.Is("content_block"u8) || json.Is("message"u8))
            {
                frame.Payload = json.Take();
                continue;
            }
            else if (json.Is("usage"u8))
            {
                frame.Usage = json.Take();
                continue;
            }

            json.Skip();
        }

        json.End();
        if (!hasType)
        {
            frame.Kind = KindOf(taken.Name);
        }

        return frame;
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
        JsonScan json = new(data, JsonFields.DepthMax);
        if (json.First() != (byte)'{')
        {
            return delta;
        }

        json.EnterObject();
        while (json.NextField())
        {
            DeltaKind kind = KindOf(json);
            byte first = json.First();
            if (kind == DeltaKind.Citation && first == (byte)'{')
            {
                delta.Kind = kind;
                delta.Citation = json.Take();
            }
            else if (kind is not (DeltaKind.Other or DeltaKind.Citation) && first == (byte)'"')
            {
                delta.Kind = kind;
                int start = json.Start();
                delta.Text = withStrings ? JsonText.Lenient(ref json) : Pass(ref json);
                delta.Length = kind == DeltaKind.Signature ? 0 : json.Since(start).Length - 2;
            }
            else
            {
                json.Skip();
            }
        }

        return delta;
    }

    private static string? Pass(ref JsonScan json)
    {
        json.Skip();
        return null;
    }

    private static DeltaKind KindOf(in JsonScan json) =>
        json.Is("text"u8) ? DeltaKind.Text
        : json.Is("partial_json"u8) ? DeltaKind.Arguments
        : json.Is("thinking"u8) ? DeltaKind.Thinking
        : json.Is("signature"u8) ? DeltaKind.Signature
        : json.Is("citation"u8) ? DeltaKind.Citation
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

        JsonScan json = new(data, JsonFields.DepthMax);
        if (json.First() == (byte)'{')
        {
            json.EnterObject();
            while (json.NextField())
            {
                stop.ReadField(ref json);
            }
        }

        return stop;
    }

    /// <summary>Takes the field to which the scan came, if it is one of these, and passes its value.</summary>
    public void ReadField(ref JsonScan json)
    {
        if (json.Is("stop_reason"u8) && json.First() == (byte)'"')
        {
            Reason = JsonText.Lenient(ref json);
        }
        else if (json.Is("stop_sequence"u8) && json.First() == (byte)'"')
        {
            Sequence = JsonText.Lenient(ref json);
        }
        else if (json.Is("stop_details"u8) && json.First() == (byte)'{')
        {
            json.EnterObject();
            while (json.NextField())
            {
                if (json.Is("explanation"u8) && json.First() == (byte)'"')
                {
                    Explanation = JsonText.Lenient(ref json);
                }
                else
                {
                    json.Skip();
                }
            }
        }
        else
        {
            json.Skip();
        }
    }
}
