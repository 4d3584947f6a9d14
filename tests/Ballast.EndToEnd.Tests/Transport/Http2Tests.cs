using System.Net;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>A POST costs money each time: over HTTP/2 it goes out again only where the server says that it has not taken it.</summary>
public sealed class Http2Tests
{
    [Theory]
    [InlineData(Http2Fate.GoAwayBeforeIt)]
    [InlineData(Http2Fate.Refused)]
    public async Task Ask_NotTakenByTheServer_GoesOutAgainAndIsAnswered(Http2Fate fate)
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        await using RawHttp2Server server = new(fate, house.PathOf("raw.pem"));
        await house.StartGatewayAsync($"api_key: ${{AZURE}}\nca: raw.pem\nhttp2: true\nbase_url: {server.Address}");

        await house.AskWellAsync();

        Assert.Equal(2, server.Read);
    }

    [Theory]
    [InlineData(Http2Fate.GoAwayAfterIt)]
    [InlineData(Http2Fate.ResetAfterIt)]
    public async Task Ask_TakenByTheServer_IsNeverSentAgain(Http2Fate fate)
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        await using RawHttp2Server server = new(fate, house.PathOf("raw.pem"));
        await house.StartGatewayAsync($"api_key: ${{AZURE}}\nca: raw.pem\nhttp2: true\nbase_url: {server.Address}");

        Assert.Equal("upstream_connection_lost", await house.AskForErrorAsync());

        Assert.Equal(1, server.Read);
        (HttpStatusCode status, _) = await house.AskAsync();
        Assert.Equal((HttpStatusCode.OK, 2), (status, server.Read));
    }
}
