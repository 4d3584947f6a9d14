using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// Encrypted reasoning in an answer that is passed on, where its caller may be answered by another account next time: the content gets its issuer's mark, and every other
/// byte stays. Bare, nobody could tell later who can decrypt it.
/// </summary>
internal static class OpenAIResponsesSeals
{
    /// <summary>How deep in an item its encrypted content stands.</summary>
    public const int InItem = 1;

    /// <summary>How deep in a response that of its items stands.</summary>
    public const int InResponse = 3;

    /// <summary>The object with its encrypted contents marked.</summary>
    /// <param name="json">An item or a response.</param>
    /// <param name="depth">How deep in it the contents stand.</param>
    /// <param name="issuer">Vendor and account.</param>
    public static byte[] Mark(ReadOnlySpan<byte> json, int depth, string issuer)
    {
        ArrayBufferWriter<byte> output = new(json.Length + 128);
        byte[] mark = Encoding.UTF8.GetBytes(JsonEncodedText.Encode(ForeignThinking.Wrap(issuer, null)).ToString());
        int taken = 0;
        Utf8JsonReader reader = new(json, OpenAIResponsesFrame.ReaderOptions);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != depth || !reader.ValueTextEquals("encrypted_content"u8))
            {
                continue;
            }

            reader.Read();
            if (reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty && !reader.ValueSpan.StartsWith(ForeignThinking.MarkUtf8))
            {
                int content = (int)reader.TokenStartIndex + 1;
                output.Write(json[taken..content]);
                output.Write(mark);
                taken = content;
            }
        }

        output.Write(json[taken..]);
        return output.WrittenSpan.ToArray();
    }
}
