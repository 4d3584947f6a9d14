using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.Clouds;

/// <summary>Moves model and streaming between the body of a Messages request and the path of an InvokeModel request, and every other byte as it is.</summary>
internal static class BedrockInvokeBody
{
    /// <summary>Where the body names its version: no content, but a form.</summary>
    public const string VersionPointer = "/anthropic_version";

    public static int LengthWithModel(ReadOnlyMemory<byte> body, RequestAddress address) => body.Length + HeadOf(address).Length;

    /// <summary>The body as the vendor's own API takes it, written to <paramref name="space"/>.</summary>
    /// <exception cref="ProtocolException">The body is no JSON object.</exception>
    public static ReadOnlyMemory<byte> WithModel(ReadOnlyMemory<byte> body, RequestAddress address, byte[] space)
    {
        ReadOnlySpan<byte> text = body.Span;
        int start = text.IndexOfAnyExcept(" \t\r\n"u8);
        if (start < 0 || text[start] != (byte)'{')
        {
            throw ProtocolException.Invalid("The body must be a JSON object.");
        }

        byte[] head = HeadOf(address);
        int rest = text[(start + 1)..].IndexOfAnyExcept(" \t\r\n"u8);
        bool isEmpty = rest >= 0 && text[start + 1 + rest] == (byte)'}';
        head.CopyTo(space, 0);
        text[(start + 1)..].CopyTo(space.AsSpan(head.Length));
        if (isEmpty)
        {
            // No field follows the comma.
            space[head.Length - 1] = (byte)' ';
        }

        return space.AsMemory(0, head.Length + text.Length - start - 1);
    }

    /// <summary>The body of a Messages request without what the path says, and with its version.</summary>
    public static void WriteWithoutModel(ReadOnlySpan<byte> plain, IBufferWriter<byte> output)
    {
        output.Write("{\"anthropic_version\":\"bedrock-2023-05-31\""u8);
        Utf8JsonReader json = new(plain);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)json.TokenStartIndex;
            bool isLeftOut = json.ValueTextEquals("model"u8) || json.ValueTextEquals("stream"u8) || json.ValueTextEquals("anthropic_version"u8);
            json.Read();
            json.Skip();
            if (!isLeftOut)
            {
                output.Write(","u8);
                output.Write(plain[start..(int)json.BytesConsumed]);
            }
        }

        output.Write("}"u8);
    }

    private static byte[] HeadOf(RequestAddress address) =>
        Encoding.UTF8.GetBytes($"{{\"model\":\"{JsonEncodedText.Encode(address.Model!)}\",\"stream\":{(address.Stream == StreamForm.Events ? "true" : "false")},");
}
