using System.Text;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>What tests must know of a protocol to speak it: how the text of a stream becomes bytes.</summary>
public static class Form
{
    public static bool IsBinary(Protocol protocol, bool stream) => stream && protocol.Framing == StreamFraming.EventStream;

    public static byte[] Bytes(Protocol protocol, bool stream, string text) => IsBinary(protocol, stream) ? protocol.Name == "bedrock-invoke" ? EventStreamText.EncodeChunks(text) : EventStreamText.Encode(text) : Encoding.UTF8.GetBytes(text);

    public static string Text(Protocol protocol, bool stream, ReadOnlySpan<byte> bytes) =>
        IsBinary(protocol, stream) ? protocol.Name == "bedrock-invoke" ? EventStreamText.DecodeChunks(bytes) : EventStreamText.Decode(bytes) : Encoding.UTF8.GetString(bytes);
}
