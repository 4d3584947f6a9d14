using System.Buffers;
using System.Text.Json;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Guards.Constitution;

/// <summary>A request's body with something more said by its user, at the end of what the user said last: every other byte stays, whatever the protocol.</summary>
internal static class RevisedBody
{
    /// <summary>The body; null where its user said nothing in words.</summary>
    public static ReadOnlyMemory<byte>? Of(ReadOnlyMemory<byte> body, ChatRequest request, string told)
    {
        string? said = request.Messages.LastOrDefault(static message => message.Role == Role.User && message.Parts.OfType<TextPart>().Any())?.Parts.OfType<TextPart>().Last().Text;
        JsonSpan place = default;
        Utf8JsonReader reader = new(body.Span, new JsonReaderOptions { MaxDepth = 256 });
        while (said is not null && reader.Read())
        {
            if (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(said))
            {
                int start = (int)reader.TokenStartIndex;
                place = new JsonSpan(start, (int)reader.BytesConsumed - start);
            }
        }

        if (!place.IsPresent)
        {
            return null;
        }

        ArrayBufferWriter<byte> text = new();
        using (Utf8JsonWriter writer = new(text))
        {
            writer.WriteStringValue($"{said}\n\n{told}");
        }

        ArrayBufferWriter<byte> output = new(body.Length + text.WrittenCount);
        JsonSplice.Write(body.Span, [new JsonEdit(place, text.WrittenMemory)], output);
        return output.WrittenMemory;
    }
}
