using System.Text;
using Ballast.Transport.Http1;

namespace Ballast.Tests.Transport.Http1;

/// <summary>What a head says, and which heads are none: the same wherever the network cuts them.</summary>
public sealed class RequestHeadTests
{
    private const string Host = "Host: h\r\n";

    public static TheoryData<string, string> Accepted() => new()
    {
        { "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / keep" },
        { "POST /v1/messages?beta=true HTTP/1.1\r\nhost: a.example:8080\r\nCONTENT-LENGTH: 12\r\n\r\n", "POST /v1/messages?beta=true keep 12" },
        { "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "POST /x keep chunked" },
        { "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \tCHUNKED \r\n\r\n", "POST /x keep chunked" },
        { "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n", "POST /x keep 1 expects" },
        { "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /x close" },
        { "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", "GET /x close" },
        { "GET /x HTTP/1.1\r\nHost: h\r\nConnection: te ,CLOSE\r\n\r\n", "GET /x close" },
        { "GET /x HTTP/1.0\r\n\r\n", "GET /x close" },
        { "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /x keep" },
        { "POST /x HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "POST /x close 0" },
        { "GET http://h/v1/models HTTP/1.1\r\nHost: h\r\n\r\n", "GET /v1/models keep" },
        { "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * keep" },
        { "M-SEARCH /x HTTP/1.1\r\nHost: h\r\n\r\n", "M-SEARCH /x keep" },
        { "GET /x HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-Text: caf\u00e9 \t a\r\n\r\n", "GET /x keep" },
        { "GET /x HTTP/1.1\r\nHost:\r\n\r\n", "GET /x keep" },
        { "\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x keep" },
        { "GET /x HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "GET /x keep" },
    };

    public static TheoryData<string, int> Refused() => new()
    {
        // The request line.
        { "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET /%00 HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { " GET / HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET  / HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET / HTTP/1.1 \r\n" + Host + "\r\n", 400 },
        { "GET / x HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET /\tHTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "G@T / HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET / HTTP/1.1\n" + Host + "\r\n", 400 },
        { "GET /\r HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET /\0 HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET /\u00e9 HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET x HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET ftp://h/ HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET http://h HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET http://a@h/ HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "CONNECT h:443 HTTP/1.1\r\n" + Host + "\r\n", 400 },
        { "GET / http/1.1\r\n" + Host + "\r\n", 400 },
        { "GET / HTTP/1.10\r\n" + Host + "\r\n", 400 },
        { "GET / HTTP/2.0\r\n" + Host + "\r\n", 505 },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
        { "GET /\r\n\r\n", 400 },
        { "GET /" + new string('x', RequestHead.LineBytesMax) + " HTTP/1.1\r\n" + Host + "\r\n", 414 },
        // Header lines.
        { "GET / HTTP/1.1\r\n" + Host + "X : 1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + ": 1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X Y: 1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X: 1\r\n folded\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X: 1\r\n\tfolded\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n X: 1\r\n" + Host + "\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X: a\rb\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X: a\nb: 1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X: a\0b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X: a\u0001b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X\u00e9: a\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + "X: " + new string('x', RequestHead.HeadersBytesMax) + "\r\n\r\n", 431 },
        { "GET / HTTP/1.1\r\n" + Host + string.Concat(Enumerable.Repeat("X: 1\r\n", RequestHead.HeadersMax)) + "\r\n", 431 },
        // The host.
        { "GET / HTTP/1.1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" + Host + Host + "\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: h:a\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: h:\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: [:1]\r\n\r\n", 400 },
        { "GET http://other/ HTTP/1.1\r\n" + Host + "\r\n", 400 },
    };

    /// <summary>Every way in which two servers could see two different ends of one body.</summary>
    public static TheoryData<string, int> Ambiguous() => new()
    {
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: 1, 1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: +1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: -1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: 0x1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: 1 1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: \r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: 99999999999999999999\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding: chunked, identity\r\n\r\n", 501 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding: xchunked\r\n\r\n", 501 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding:\u000bchunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding : chunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" + Host + "Transfer-Encoding:\r\n chunked\r\n\r\n", 501 },
        { "POST / HTTP/1.0\r\n" + Host + "Transfer-Encoding: chunked\r\n\r\n", 501 },
        { "POST / HTTP/1.0\r\n" + Host + "\r\n", 411 },
    };

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Read_OfAHead_TellsTheSameHoweverItIsCut(string text, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        byte[] more = [.. bytes, .. "GET /next HTTP/1.1\r\n"u8];
        Assert.Equal(expected, Summary(Read(more, [more.Length])));
        Assert.Equal(expected, Summary(Read(bytes, [.. Enumerable.Range(1, bytes.Length)])));
        for (int cut = 1; cut < bytes.Length; cut++)
        {
            (RequestHead head, HeadRefusal? refusal) = Read(more, [cut, more.Length]);
            Assert.Equal(expected, Summary((head, refusal)));
            Assert.Equal(bytes.Length, head.Length);
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    [MemberData(nameof(Ambiguous))]
    public void Read_OfNoHead_IsRefusedHoweverItIsCut(string text, int status)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal(status, Read(bytes, [bytes.Length]).Refusal?.Status);
        if (bytes.Length > 4096)
        {
            Assert.Equal(status, Read(bytes, [.. Enumerable.Range(1, bytes.Length / 512).Select(piece => piece * 512), bytes.Length]).Refusal?.Status);
            return;
        }

        for (int cut = 1; cut < bytes.Length; cut++)
        {
            Assert.Equal(status, Read(bytes, [cut, bytes.Length]).Refusal?.Status);
        }
    }

    [Fact]
    public void Find_OfRepeatedHeaders_FindsEachInTurn()
    {
        byte[] bytes = Encoding.UTF8.GetBytes("GET / HTTP/1.1\r\nHost: h\r\nX-Key: one\r\nother: 1\r\nx-KEY:two \r\n\r\n");
        (RequestHead head, HeadRefusal? refusal) = Read(bytes, [bytes.Length]);
        Assert.Null(refusal);
        int first = head.Find("x-key", 0);
        int second = head.Find("x-key", first + 1);
        Assert.Equal("one", Encoding.ASCII.GetString(head.Value(first)));
        Assert.Equal("two", Encoding.ASCII.GetString(head.Value(second)));
        Assert.Equal(-1, head.Find("x-key", second + 1));
        Assert.Equal(-1, head.Find("x-ke", 0));
    }

    [Fact]
    public void Read_OfMoreAndMoreHeaders_IsRefusedBeforeTheyEnd()
    {
        byte[] bytes = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nX: " + new string('x', 100_000));
        Assert.Equal(431, Read(bytes, [.. Enumerable.Range(1, 100).Select(piece => piece * 1000)]).Refusal?.Status);
        bytes = Encoding.ASCII.GetBytes("GET /" + new string('x', 100_000));
        Assert.Equal(414, Read(bytes, [.. Enumerable.Range(1, 100).Select(piece => piece * 1000)]).Refusal?.Status);
    }

    /// <summary>Bent heads are read or refused; whatever is read is told the same in one piece and byte by byte.</summary>
    [Fact]
    public void Read_OfBentHeads_IsTheSameInOnePieceAndByteByByte()
    {
        byte[][] seeds = [.. Accepted().Concat(Refused().Concat(Ambiguous()).Select(row => new TheoryDataRow<string, string>(row.Data.Item1, ""))).Select(row => Encoding.UTF8.GetBytes(row.Data.Item1)).Where(seed => seed.Length < 1000)];
        byte[] alphabet = [.. "\r\n :,;\t\0aZ0/?%chunked"u8, 0x7F, 0x80, 0xFF];
        Random random = new(1);
        for (int round = 0; round < 30_000; round++)
        {
            List<byte> bent = [.. seeds[random.Next(seeds.Length)]];
            for (int change = random.Next(1, 4); change > 0 && bent.Count > 0; change--)
            {
                int at = random.Next(bent.Count);
                switch (random.Next(3))
                {
                    case 0:
                        bent[at] = alphabet[random.Next(alphabet.Length)];
                        break;
                    case 1:
                        bent.Insert(at, alphabet[random.Next(alphabet.Length)]);
                        break;
                    default:
                        bent.RemoveAt(at);
                        break;
                }
            }

            byte[] bytes = [.. bent];
            string whole = Summary(Read(bytes, [bytes.Length]));
            string single = Summary(Read(bytes, [.. Enumerable.Range(1, bytes.Length)]));
            Assert.True(whole == single, $"{Convert.ToBase64String(bytes)}: {whole} in one piece, {single} byte by byte");
        }
    }

    private static (RequestHead Head, HeadRefusal? Refusal) Read(byte[] bytes, int[] lengths)
    {
        RequestHead head = new();
        foreach (int length in lengths)
        {
            // As after a buffer that has grown: another array each time.
            byte[] memory = new byte[bytes.Length];
            bytes.AsSpan(0, length).CopyTo(memory);
            if (head.Read(memory, length) is { } refusal)
            {
                return (head, refusal);
            }
        }

        return (head, null);
    }

    private static string Summary((RequestHead Head, HeadRefusal? Refusal) read)
    {
        (RequestHead head, HeadRefusal? refusal) = read;
        if (refusal is not null)
        {
            return refusal.Status.ToString(null, null);
        }

        if (!head.IsComplete)
        {
            return "incomplete";
        }

        string summary = $"{Encoding.ASCII.GetString(head.Method)} {Encoding.ASCII.GetString(head.Target)} {(head.IsKeepAlive ? "keep" : "close")}";
        summary += head.ContentLength is { } length ? $" {length}" : "";
        return summary + (head.IsChunked ? " chunked" : "") + (head.ExpectsContinue ? " expects" : "");
    }
}
