using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Takes a streamed answer apart, whatever cuts it into pieces.</summary>
internal static class AnswerFrames
{
    private const int PreludeLength = 12;
    private const int ChecksumLength = 4;
    private const byte StringType = 7;

    public static List<EventText> Split(RecordedFraming framing, ReadOnlyMemory<byte> body) => framing switch
    {
        RecordedFraming.EventStream => Binary(body.Span),
        RecordedFraming.Lines => [.. Encoding.UTF8.GetString(body.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => new EventText(line, "", line))],
        RecordedFraming.Array => Items(body),
        _ => EventStreamText.Split(body.Span),
    };

    private static List<EventText> Items(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        return document is null ? [] : [.. JsonWalk.Items(document.RootElement).Select(item => new EventText(item.GetRawText(), "", item.GetRawText()))];
    }

    /// <summary>Prelude (length, length of the headers, its checksum), headers, payload, checksum. What InvokeModel wraps is unwrapped.</summary>
    private static List<EventText> Binary(ReadOnlySpan<byte> body)
    {
        List<EventText> frames = [];
        while (body.Length >= PreludeLength + ChecksumLength)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(body);
            int headers = BinaryPrimitives.ReadInt32BigEndian(body[4..]);
            if (length > body.Length || length < PreludeLength + ChecksumLength + headers)
            {
                break;
            }

            (string type, string name) = Names(body.Slice(PreludeLength, headers));
            string data = Encoding.UTF8.GetString(body[(PreludeLength + headers)..(length - ChecksumLength)]);
            frames.Add(new EventText(data, type == "event" ? name : "exception", type == "event" && name == "chunk" ? Unwrapped(data) : data));
            body = body[length..];
        }

        return frames;
    }

    private static (string Type, string Name) Names(ReadOnlySpan<byte> headers)
    {
        string type = "event";
        string name = "";
        while (headers.Length > 4)
        {
            int nameLength = headers[0];
            string header = Encoding.UTF8.GetString(headers.Slice(1, nameLength));
            headers = headers[(1 + nameLength)..];
            if (headers[0] != StringType)
            {
                break;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(headers[1..]);
            string value = Encoding.UTF8.GetString(headers.Slice(3, length));
            headers = headers[(3 + length)..];
            type = header == ":message-type" ? value : type;
            name = header is ":event-type" or ":exception-type" ? value : name;
        }

        return (type, name);
    }

    private static string Unwrapped(string data)
    {
        using JsonDocument? document = JsonWalk.TryParse(data);
        return document is not null && JsonWalk.Get(document.RootElement, "bytes") is { ValueKind: JsonValueKind.String } bytes && bytes.TryGetBytesFromBase64(out byte[]? inner)
            ? Encoding.UTF8.GetString(inner) : data;
    }
}
