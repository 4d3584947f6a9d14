using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ballast.Catalog;
using Ballast.Tests.Ledger;
using Ballast.Upstream;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Upstream;

/// <summary>Alerts against a real receiver: signed, tried again within bounds, told once, kept over a restart.</summary>
public sealed class AlertPosterTests : IAsyncLifetime
{
    private const string Secret = "a-secret-of-more-than-32-characters";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
    private readonly ConcurrentQueue<(string Signature, string Body)> _received = new();
    private readonly ConcurrentQueue<string> _givenUp = new();
    private readonly ConcurrentQueue<int> _statuses = new();
    private WebApplication _receiver = null!;
    private Uri _address = null!;
    private bool _allowsPrivate = true;

    private string Folder => _folder.File("alerts");

    public async ValueTask InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _receiver = builder.Build();
        _receiver.Run(async http =>
        {
            using StreamReader reader = new(http.Request.Body);
            _received.Enqueue((http.Request.Headers[AlertPoster.SignatureHeader].ToString(), await reader.ReadToEndAsync()));
            http.Response.StatusCode = _statuses.TryDequeue(out int status) ? status : 200;
            http.Response.Headers.Location = "http://127.0.0.1:9/elsewhere";
        });
        await _receiver.StartAsync(TestContext.Current.CancellationToken);
        _address = new Uri(_receiver.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/hook");
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Post_Receiver_CanProveWhoSentIt()
    {
        await using AlertPoster poster = Open();
        poster.Post("a", "{\"budget\":\"b\"}"u8.ToArray());
        await UntilAsync(() => !_received.IsEmpty, isTimePassing: false);

        (string signature, string body) = Assert.Single(_received);
        Assert.Equal("{\"budget\":\"b\"}", body);
        string[] parts = signature.Split(',');
        Assert.Equal("t=" + _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), parts[0]);
        Assert.Equal("v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(parts[0][2..] + "." + body))), parts[1]);
    }

    [Theory]
    [InlineData(AlertPoster.TriesMax, "status_500", 500, 500, 500, 500, 500)]
    [InlineData(AlertPoster.TriesMax, "status_429", 503, 500, 408, 500, 429)]
    [InlineData(1, "status_302", 302)]
    [InlineData(1, "status_410", 410)]
    [InlineData(3, null, 500, 503)]
    public async Task Post_ReceiverFails_IsTriedAgainWithinBounds(int tries, string? reason, params int[] statuses)
    {
        Array.ForEach(statuses, _statuses.Enqueue);
        await using AlertPoster poster = Open();
        poster.Post("a", "{}"u8.ToArray());
        await UntilAsync(() => _received.Count == tries && (reason is null || !_givenUp.IsEmpty));
        poster.Post("b", "last"u8.ToArray());
        await UntilAsync(() => _received.Any(static one => one.Body == "last"));

        Assert.Equal(tries, _received.Count(static one => one.Body == "{}"));
        Assert.Equal(reason, _givenUp.SingleOrDefault());
    }

    [Fact]
    public async Task Post_AddressOfAPrivateNetwork_IsNotEvenDialled()
    {
        _allowsPrivate = false;
        await using AlertPoster poster = Open();
        poster.Post("a", "{}"u8.ToArray());
        await UntilAsync(() => !_givenUp.IsEmpty);

        Assert.Equal("address_refused", Assert.Single(_givenUp));
        Assert.Empty(_received);
    }

    /// <summary>What was not delivered is told by the next process; what was, by none.</summary>
    [Fact]
    public async Task Post_ProcessEndsBeforeItIsDelivered_IsToldByTheNextAndOnce()
    {
        _statuses.Enqueue(500);
        await using (AlertPoster poster = Open())
        {
            poster.Post("a", "first"u8.ToArray());
            await UntilAsync(() => !_received.IsEmpty, isTimePassing: false);
        }

        await using (AlertPoster next = Open())
        {
            await UntilAsync(() => _received.Count == 2);
            await UntilAsync(() => Directory.GetFiles(Folder, "*.told").Length == 1);
            next.Post("a", "again"u8.ToArray());
        }

        await using AlertPoster last = Open();
        last.Post("a", "again"u8.ToArray());
        last.Post("b", "second"u8.ToArray());
        await UntilAsync(() => _received.Any(static one => one.Body == "second"));
        Assert.Equal(["first", "first", "second"], _received.Select(static one => one.Body));
    }

    [Fact]
    public async Task Post_FarMoreThanCanBeDelivered_IsBounded()
    {
        for (int i = 0; i < 5; i++)
        {
            _statuses.Enqueue(500);
        }

        await using AlertPoster poster = Open();
        for (int i = 0; i < 4 * AlertPoster.QueueMax; i++)
        {
            poster.Post($"a{i}", "{}"u8.ToArray());
        }

        await UntilAsync(() => !_received.IsEmpty, isTimePassing: false);
        Assert.True(!Directory.Exists(Folder) || Directory.GetFiles(Folder).Length <= 2 * AlertPoster.QueueMax + 2);
    }

    private AlertPoster Open() => new(Folder, () => new AlertTarget(_address, new Secret(Secret), _allowsPrivate), _time, _givenUp.Enqueue);

    private async Task UntilAsync(Func<bool> isSo, bool isTimePassing = true)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!isSo())
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) < s_patience, $"{_received.Count} received, {_givenUp.Count} given up");
            if (isTimePassing)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
