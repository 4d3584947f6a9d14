using System.Text;
using Ballast.Transport.Http1;

namespace Ballast.Tests.Transport.Http1;

public class ResponseHeadTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, BodyFraming.Length, 5L, true)]
    [InlineData("HTTP/1.1 200\r\ncontent-length:5\r\n\r\n", 200, BodyFraming.Length, 5L, true)]
    [InlineData("HTTP/1.1 200 \r\nContent-Length: \t 5 \t\r\n\r\n", 200, BodyFraming.Length, 5L, true)]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 5\n\n", 200, BodyFraming.Length, 5L, true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 200, BodyFraming.Length, 5L, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", 200, BodyFraming.Chunked, null, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 200, BodyFraming.Chunked, null, false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive , CLOSE\r\n\r\n", 200, BodyFraming.Chunked, null, false)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", 200, BodyFraming.Close, null, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, BodyFraming.Length, 5L, false)]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, BodyFraming.None, 0L, true)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, BodyFraming.None, 0L, true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", 100, BodyFraming.None, 0L, true)]
    [InlineData("HTTP/1.1 599 Caf\u00e9\r\nX: \u00e9\r\nContent-Length: 0\r\n\r\n", 599, BodyFraming.Length, 0L, true)]
    public void Read_Whole_TellsFraming(string text, int status, BodyFraming framing, long? length, bool keeps)
    {
        ResponseHead head = new();
        byte[] bytes = Encoding.Latin1.GetBytes(text + "body");

        head.Begin();
        Assert.Equal(HeadState.Whole, head.Read(bytes, out int headLength));

        Assert.Equal(text.Length, headLength);
        Assert.Equal((status, framing, length, keeps), (head.Status, head.Framing, head.ContentLength, head.KeepsConnection));
    }

    /// <summary>What two readers could read in two ways, or what no server says.</summary>
    [Theory]
    [InlineData("HTTP/2 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.2 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1  200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n")]
    [InlineData("http/1.1 200 OK\r\n\r\n")]
    [InlineData("\r\nHTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 O\0K\r\n\r\n")]
    [InlineData("HTTP/1.1 200 O\rK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA : b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n: b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n\tfolded\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\u00e9: b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("<html>\r\n\r\n")]
    public void Read_BrokenHead_IsMalformed(string text)
    {
        ResponseHead head = new();
        head.Begin();
        Assert.Equal(HeadState.Malformed, head.Read(Encoding.Latin1.GetBytes(text), out _));
    }

    [Fact]
    public void Read_CutAtEveryByte_IsTheSame()
    {
        const string Text = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nX-Empty:\r\nContent-Length: 12\r\nx-request-id: a\r\nX-Request-Id: b\r\n\r\n";
        byte[] bytes = Encoding.ASCII.GetBytes(Text + "HTTP/1.1 200 OK\r\n\r\n");
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            ResponseHead head = new();
            head.Begin();
            HeadState state = head.Read(bytes.AsSpan(0, cut), out int length);
            Assert.Equal(cut < Text.Length ? HeadState.Incomplete : HeadState.Whole, state);
            if (state == HeadState.Incomplete)
            {
                Assert.Equal(HeadState.Whole, head.Read(bytes, out length));
            }

            Assert.Equal(Text.Length, length);
            Assert.Equal((429, 12L, "7", "", "a", "a, b"), (head.Status, head.ContentLength, head.Find("retry-after"), head.Find("x-empty"), head.Find("X-REQUEST-ID"), head.FindAll("x-request-id")));
            Assert.Null(head.Find("x-request"));
        }
    }

    [Fact]
    public void Read_MoreThanTheLimits_IsMalformed()
    {
        ResponseHead head = new();
        head.Begin();
        byte[] endless = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nA: " + new string('x', ResponseHead.BytesMax));
        Assert.Equal(HeadState.Malformed, head.Read(endless, out _));

        head.Begin();
        string many = string.Concat(Enumerable.Repeat("A: b\r\n", ResponseHead.LinesMax + 1));
        Assert.Equal(HeadState.Malformed, head.Read(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{many}\r\n"), out _));

        head.Begin();
        string asMany = string.Concat(Enumerable.Repeat("A: b\r\n", ResponseHead.LinesMax));
        Assert.Equal(HeadState.Whole, head.Read(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{asMany}\r\n"), out _));
    }

    [Fact]
    public void Begin_AfterAnotherHead_KeepsNothingOfIt()
    {
        ResponseHead head = new();
        head.Begin();
        head.Read("HTTP/1.0 500 No\r\nConnection: close\r\nRetry-After: 7\r\nA: 1\r\nB: 2\r\n\r\n"u8, out _);
        head.Begin();

        Assert.Equal(HeadState.Whole, head.Read("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"u8, out _));
        Assert.Equal((200, 1L, true, null), (head.Status, head.ContentLength, head.KeepsConnection, head.Find("Retry-After")));
    }
}
