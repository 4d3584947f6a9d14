using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Clouds;

/// <summary>
/// A count at AWS Bedrock (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html): the request itself is wrapped, as an object
/// (<c>{"input":{"converse":{…}}}</c>) or as the base64 of a body of InvokeModel (<c>{"input":{"invokeModel":{"body":"…"}}}</c>).
/// </summary>
public static class BedrockTokenCount
{
    /// <summary>Objects around the request.</summary>
    private const int DepthAround = 2;

    /// <summary>Takes the request out of what it is wrapped in.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="isInvoke">It is a body of InvokeModel, else one of Converse.</param>
    /// <exception cref="ProtocolException">It is neither.</exception>
    public static ReadOnlyMemory<byte> Unwrap(ReadOnlyMemory<byte> body, out bool isInvoke)
    {
        try
        {
            if (Utf8.IsValid(body.Span) && Find(body.Span, out isInvoke) is { IsPresent: true } found)
            {
                ReadOnlyMemory<byte> value = body.Slice(found.Start, found.Length);
                return isInvoke ? Decode(value.Span) : value;
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            // Told below.
        }

        throw ProtocolException.Invalid("input: must hold one of 'converse' and 'invokeModel', the latter with a 'body' in base64.", "input");
    }

    private static JsonSpan Find(ReadOnlySpan<byte> body, out bool isInvoke)
    {
        isInvoke = false;
        JsonSpan found = default;
        JsonScan json = new(body, JsonFields.DepthMax + DepthAround);
        int fields = 0;
        json.EnterObject();
        while (json.NextField())
        {
            if (!json.Is("input"u8) || json.First() != (byte)'{' || ++fields > 1)
            {
                json.Skip();
                continue;
            }

            json.EnterObject();
            while (json.NextField())
            {
                isInvoke = json.Is("invokeModel"u8) && json.First() == (byte)'{';
                bool isConverse = json.Is("converse"u8) && json.First() == (byte)'{';
                if (found.IsPresent || (!isInvoke && !isConverse))
                {
                    return default;
                }

                found = isInvoke ? BodyOf(ref json) : json.Take();
            }
        }

        json.End();
        return fields == 1 ? found : default;
    }

    private static JsonSpan BodyOf(ref JsonScan json)
    {
        JsonSpan found = default;
        json.EnterObject();
        while (json.NextField())
        {
            bool isBody = json.Is("body"u8) && json.First() == (byte)'"';
            JsonSpan value = json.Take();
            found = isBody ? value : found;
        }

        return found;
    }

    private static byte[] Decode(ReadOnlySpan<byte> quoted)
    {
        Utf8JsonReader reader = new(quoted);
        reader.Read();
        return reader.GetBytesFromBase64();
    }

    /// <summary>The base64 of a body, in quotes.</summary>
    internal static byte[] Encode(ReadOnlySpan<byte> body)
    {
        byte[] text = new byte[Base64.GetMaxEncodedToUtf8Length(body.Length) + 2];
        Base64.EncodeToUtf8(body, text.AsSpan(1), out _, out int written);
        text[0] = text[written + 1] = (byte)'"';
        return text[..(written + 2)];
    }
}
