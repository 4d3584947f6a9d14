using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>Why a message stopped, as <c>messageStop</c> and whole bodies tell it.</summary>
internal struct BedrockConverseStop
{
    public string? Reason;

    /// <summary>The stop sequence that was met: the model's own field, told where the request asked for it.</summary>
    public string? Sequence;

    /// <summary>Takes the field at whose name the reader stands, if it is one of these, and leaves the reader at its value.</summary>
    public void ReadField(ref Utf8JsonReader json)
    {
        bool isReason = json.ValueTextEquals("stopReason"u8);
        bool isExtra = json.ValueTextEquals("additionalModelResponseFields"u8);
        json.Read();
        if (isReason && json.TokenType == JsonTokenType.String)
        {
            Reason = JsonText.Read(ref json);
        }
        else if (isExtra && json.TokenType == JsonTokenType.StartObject)
        {
            Utf8JsonReader inside = json;
            while (inside.Read() && inside.TokenType == JsonTokenType.PropertyName)
            {
                bool isSequence = inside.ValueTextEquals("stop_sequence"u8);
                inside.Read();
                Sequence = isSequence && inside.TokenType == JsonTokenType.String ? JsonText.Read(ref inside) : Sequence;
                inside.Skip();
            }
        }
    }
}
