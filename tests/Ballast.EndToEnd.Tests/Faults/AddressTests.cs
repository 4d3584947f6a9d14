using System.Net;
using System.Net.Sockets;
using Ballast.Configuration;
using Ballast.Upstream;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Forms of addresses that lie inside: whatever the configuration lets pass, the connect refuses, and nobody is dialled.</summary>
[Collection("Faults")]
public sealed class AddressTests : IAsyncLifetime
{
    private readonly TcpListener _canary = new(IPAddress.IPv6Any, 0);
    private readonly CancellationTokenSource _end = new();
    private int _connects;
    private Task _accepting = Task.CompletedTask;

    public static TheoryData<string> Hosts =>
    [
        "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0x7f.0.0.0x1", "017700000001", "127.0.0.1.", "0", "0.0.0.0", "0.0.0.1",
        "localhost", "LOCALHOST", "localhost.", "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
        "[2001:0:1:2:3:4:80ff:fffe]", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.1", "100.127.255.255",
        "169.254.169.254", "169.254.170.2", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::ffff:10.0.0.1]",
        "192.0.0.1", "192.0.0.192", "198.18.0.1", "198.19.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1", "100.100.100.200", "168.63.129.16",
        "[fe80::1]", "[fe80::1%251]", "[fec0::1]", "[fc00::1]", "[fd00::1]", "[fd00:ec2::254]", "[fd20:ce::254]", "[ff02::1]", "[100::1]",
    ];

    public ValueTask InitializeAsync()
    {
        _canary.Server.DualMode = true;
        _canary.Start();
        _accepting = AcceptAsync();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _canary.Stop();
        await _accepting;
        _end.Dispose();
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public async Task Provider_WithoutPrivateAddresses_IsNeverDialledInside(string host)
    {
        int port = ((IPEndPoint)_canary.LocalEndpoint).Port;
        LoadResult loaded = OptionsLoader.Load(Yaml($"https://{host}:{port}"), "a.yaml", static _ => "key");
        if (loaded.Options is { } options)
        {
            Uri address = options.Providers[0].BaseUrl!;
            Exception? refusal = await Record.ExceptionAsync(async () =>
            {
                using Stream stream = await AddressPolicy.ConnectAsync(
                    new DnsEndPoint(address.IdnHost, address.Port), address => AddressPolicy.IsAllowed(address, allowPrivate: false), TestContext.Current.CancellationToken);
            });
            Assert.True(refusal is AddressRefusedException or SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData }, $"{host}: {refusal}");
        }

        Assert.Equal(0, Volatile.Read(ref _connects));
    }

    [Theory]
    [InlineData("http://127.0.0.1")]
    [InlineData("http://models.example")]
    [InlineData("https://user:secret@models.example")]
    [InlineData("https://models.example/?key=1")]
    [InlineData("https://models.example/#x")]
    [InlineData("https://127.0.0.1#.openai.azure.com")]
    [InlineData("ftp://models.example")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https:///v1")]
    [InlineData("//models.example")]
    public void Address_OfAnUnsafeForm_IsRefusedByTheConfiguration(string url) =>
        Assert.Null(OptionsLoader.Load(Yaml(url), "a.yaml", static _ => "key").Options);

    [Fact]
    public async Task Canary_WhereAllowed_IsDialled()
    {
        int port = ((IPEndPoint)_canary.LocalEndpoint).Port;

        using Stream stream = await AddressPolicy.ConnectAsync(new DnsEndPoint("127.0.0.1", port), address => AddressPolicy.IsAllowed(address, allowPrivate: true), TestContext.Current.CancellationToken);

        for (int wait = 0; wait < 200 && Volatile.Read(ref _connects) == 0; wait++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, Volatile.Read(ref _connects));
    }

    private static string Yaml(string url) => $$"""
        providers:
          p: { kind: openai-compatible, platform: p, region: r, base_url: "{{url}}", api_key: "${KEY}", vendor: openai, data: { geo: eu, retention_days: 0, training: false }, deployments: { m: {} } }
        models:
          m: { deployments: [p/m] }
        keys:
          k: { key: "key-of-the-faults", app: a }
        """;

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                using Socket socket = await _canary.AcceptSocketAsync(_end.Token);
                Interlocked.Increment(ref _connects);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The test is over.
        }
    }
}
