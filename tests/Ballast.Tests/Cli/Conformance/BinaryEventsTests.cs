using Ballast.Cli.Conformance;

namespace Ballast.Tests.Cli.Conformance;

public sealed class BinaryEventsTests
{
    // The example of AWS's own documentation: one header, one payload.
    private static readonly byte[] s_message = Convert.FromHexString(
        "0000003d00000020" + "07fd8396" + "0c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e" + "7b27666f6f273a27626172277d" + "8d9c08b1");

    [Fact]
    public void Read_TwoMessages_GivesHeadersAndPayloads()
    {
        (Dictionary<string, string> headers, string payload)[] read = [.. BinaryEvents.Read((byte[])[.. s_message, .. s_message])];
        Assert.Equal(2, read.Length);
        Assert.All(read, one =>
        {
            Assert.Equal("application/json", one.headers["content-type"]);
            Assert.Equal("{'foo':'bar'}", one.payload);
        });
    }

    [Fact]
    public void Read_AnyByteChanged_IsNoMessage()
    {
        for (int at = 0; at < s_message.Length; at++)
        {
            byte[] changed = [.. s_message];
            changed[at] ^= 1;
            Assert.Throws<NonconformanceException>(() => BinaryEvents.Read(changed).ToArray());
        }
    }

    [Fact]
    public void Read_CutAnywhere_IsNoMessage()
    {
        for (int length = 1; length < s_message.Length; length++)
        {
            Assert.Throws<NonconformanceException>(() => BinaryEvents.Read(s_message.AsMemory(0, length)).ToArray());
        }
    }
}
