using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>What a <c>contentBlockDelta</c> adds to.</summary>
internal enum DeltaKind
{
    Other,
    Text,
    Thinking,
    Signature,
    Redacted,
    Arguments,
    Citation,
}

/// <summary>
/// An event about one block, taken apart: its index and what it brings. The whole of it is checked for valid JSON; its string is taken out only where events are wanted.
/// </summary>
internal struct BedrockConverseDelta
{
    public int Index;
    public DeltaKind Kind;

    /// <summary>Bytes of text, reasoning or arguments.</summary>
    public long Length;
    public string? Text;

    /// <summary>Where the value of <c>start</c>, or a citation, lies.</summary>
    public JsonSpan Payload;

    public readonly bool IsEmpty => Kind is DeltaKind.Other || (Kind is DeltaKind.Text or DeltaKind.Thinking or DeltaKind.Arguments && Length == 0);

    /// <exception cref="JsonException">The data is not a JSON object.</exception>
    public static BedrockConverseDelta Read(ReadOnlySpan<byte> data, bool withStrings)
    {
        BedrockConverseDelta delta = default;
        Utf8JsonReader json = new(data, JsonFields.ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("contentBlockIndex"u8))
            {
                json.Read();
                delta.Index = json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int index) ? index : 0;
            }
            else if (json.ValueTextEquals("delta"u8))
            {
                json.Read();
                delta.ReadMember(ref json, withStrings);
            }
            else if (json.ValueTextEquals("start"u8))
            {
                json.Read();
                delta.Payload = TakeSpan(ref json);
            }
            else
            {
                json.Read();
            }

            json.Skip();
        }

        // Refuses anything behind the object.
        json.Read();
        return delta;
    }

    private static JsonSpan TakeSpan(ref Utf8JsonReader json)
    {
        int start = (int)json.TokenStartIndex;
        json.Skip();
        return new JsonSpan(start, (int)json.BytesConsumed - start);
    }

    /// <summary>Reads the one member of a delta, and leaves the reader at the delta's end.</summary>
    private void ReadMember(ref Utf8JsonReader json, bool withStrings)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("text"u8))
            {
                json.Read();
                Take(ref json, DeltaKind.Text, withStrings);
            }
            else if (json.ValueTextEquals("toolUse"u8))
            {
                json.Read();
                ReadFields(ref json, withStrings, isReasoning: false);
            }
            else if (json.ValueTextEquals("reasoningContent"u8))
            {
                json.Read();
                ReadFields(ref json, withStrings, isReasoning: true);
            }
            else if (json.ValueTextEquals("citation"u8))
            {
                json.Read();
                Kind = json.TokenType == JsonTokenType.StartObject ? DeltaKind.Citation : Kind;
                Payload = TakeSpan(ref json);
                continue;
            }
            else
            {
                json.Read();
            }

            json.Skip();
        }
    }

    private void ReadFields(ref Utf8JsonReader json, bool withStrings, bool isReasoning)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            DeltaKind kind = !isReasoning ? json.ValueTextEquals("input"u8) ? DeltaKind.Arguments : DeltaKind.Other
                : json.ValueTextEquals("text"u8) ? DeltaKind.Thinking
                : json.ValueTextEquals("signature"u8) ? DeltaKind.Signature
                : json.ValueTextEquals("redactedContent"u8) ? DeltaKind.Redacted
                : DeltaKind.Other;
            json.Read();
            Take(ref json, kind, withStrings);
            json.Skip();
        }
    }

    private void Take(ref Utf8JsonReader json, DeltaKind kind, bool withStrings)
    {
        if (kind == DeltaKind.Other || json.TokenType != JsonTokenType.String)
        {
            return;
        }

        Kind = kind;
        Length = kind is DeltaKind.Signature or DeltaKind.Redacted ? 0 : json.ValueSpan.Length;
        Text = withStrings ? JsonText.Read(ref json) : null;
    }
}
