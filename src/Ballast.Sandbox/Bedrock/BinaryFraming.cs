using System.Text;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Bedrock;

/// <summary>A stream of binary messages: Converse's own events, or another vendor's in base64.</summary>
/// <param name="wraps">Each event goes as a <c>chunk</c> that holds it in base64, as InvokeModel sends them.</param>
internal sealed class BinaryFraming(bool wraps) : StreamFraming
{
    public static BinaryFraming Plain { get; } = new(wraps: false);

    public static BinaryFraming Wrapped { get; } = new(wraps: true);

    public override string ContentType => "application/vnd.amazon.eventstream";

    /// <summary>One message whose payload is nothing but spaces: it would be whole only with its checksum, which no client may wait for.</summary>
    public override (byte[] Before, byte[] After) AroundHugeLine
    {
        get
        {
            byte[] payload = new byte[FaultRule.HugeLineBytes];
            Array.Fill(payload, (byte)' ');
            byte[] message = BinaryMessage.Event(wraps ? "chunk" : "contentBlockDelta", payload);
            int start = message.Length - payload.Length - 4;
            return (message[..start], message[^4..]);
        }
    }

    public override byte[] Frame(StreamEvent next, bool isFirst)
    {
        byte[] data = Encoding.UTF8.GetBytes(next.Data);
        if (next.Name?.EndsWith("Exception", StringComparison.Ordinal) == true)
        {
            return BinaryMessage.Exception(next.Name, data);
        }

        if (!wraps)
        {
            return BinaryMessage.Event(next.Name!, data);
        }

        // The field p is there so that an event's length does not tell what is in it.
        JsonObject chunk = new() { ["bytes"] = Convert.ToBase64String(data), ["p"] = Padding(data.Length) };
        return BinaryMessage.Event("chunk", Encoding.UTF8.GetBytes(chunk.ToJsonString(RelaxedJson.Options)));
    }

    public static string Padding(int seed)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        return Letters[..(1 + (seed * 7 % 40))];
    }
}
