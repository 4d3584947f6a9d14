using System.Globalization;
using Ballast.Exchanges;
using Ballast.Guards;
using Ballast.Protocols;
using Ballast.Tenancy;
using Ballast.Tests.Tenancy;

namespace Ballast.Tests.Guards;

/// <summary>Whoever tries keys costs no read of anything and learns nothing from how long it takes.</summary>
public sealed class KeyGuessingTests : IAsyncLifetime
{
    /// <summary>Beyond it two classes differ in time (p of about 0.00001).</summary>
    private const double LeakAt = 4.5;

    private readonly Random _random = new(7);
    private readonly string[] _keys = new string[8];
    private CountingStore _store = null!;
    private TenantHouse _house = null!;
    private KeyDirectory _directory = null!;
    private string _revoked = "";
    private string _expired = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _house = await TenantHouse.OpenAsync(around: store => _store = new CountingStore(store));
        for (int i = 0; i < _keys.Length; i++)
        {
            _keys[i] = (await _house.MakeKeyAsync()).Key!;
        }

        _revoked = (await _house.MakeKeyAsync(new KeyDocument { Id = "revoked", App = "support" })).Key!;
        _expired = (await _house.MakeKeyAsync(new KeyDocument { App = "support", ExpiresAt = _house.Time.GetUtcNow().AddSeconds(1) })).Key!;
        await _house.Desk.RevokeAsync(_house.Root, "revoked", null, Cancellation);
        _house.Time.Advance(TimeSpan.FromSeconds(2));
        _directory = KeyDirectory.Of(_house.Book.View, _house.Guard.Meters, Pepper.OfFile(Path.Combine(Path.GetDirectoryName(_house.StorePath)!, "tenants.pepper")));
        Assert.NotNull(_directory.Find(_keys[0].AsMemory(), Now));
    }

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    private long Now => _house.Time.GetUtcNow().UtcTicks;

    [Fact]
    public void Admit_WrongKeys_ReadNothing() => Try(20_000);

    [LongFact]
    public void Admit_AMillionWrongKeys_ReadNothing() => Try(1_000_000);

    /// <summary>A key that is right but for its last digits, made at run time or written in the file, takes as long as one that has nothing in common with any.</summary>
    [Fact]
    public void Find_BeginningOfAKeyIsRight_TakesAsLongAsAnyOther()
    {
        string[] near = Many(i => Sound(_keys[i % _keys.Length][..49]));
        string[] far = Many(_ => Sound(KeyText.KeyPrefix));
        string[] nearFile = Many(i => TenantHouse.DeclaredKey[..^4] + Hex(4));
        string[] farFile = Many(i => Hex(TenantHouse.DeclaredKey.Length));
        Assert.All(near, static key => Assert.True(KeyText.IsKey(key)));

        double made = LeakTest.Of(Ask, near, far), declared = LeakTest.Of(Ask, nearFile, farFile);

        TestContext.Current.SendDiagnosticMessage($"|t| of a right beginning: {made:0.0} of keys made at run time, {declared:0.0} of keys of the file");
        Assert.True(made < LeakAt && declared < LeakAt, $"|t| = {made:0.0} and {declared:0.0}");
    }

    /// <summary>Unknown, revoked and expired keys cost the same work; what was mistyped is not even hashed.</summary>
    [Fact]
    public void Find_UnknownRevokedExpired_TakeAboutAsLong()
    {
        string[] unknown = Many(_ => Sound(KeyText.KeyPrefix));
        double revoked = LeakTest.Ratio(Ask, unknown, Many(_ => new string(_revoked)));
        double expired = LeakTest.Ratio(Ask, unknown, Many(_ => new string(_expired)));
        double mistyped = LeakTest.Ratio(Ask, unknown, Many(_ => Mistyped(Sound(KeyText.KeyPrefix))));

        TestContext.Current.SendDiagnosticMessage($"time of an unknown key: revoked {revoked:0.00}, expired {expired:0.00}, mistyped {mistyped:0.00} of it");
        Assert.InRange(revoked, 0.85, 1.18);
        Assert.InRange(expired, 0.85, 1.18);
        Assert.InRange(mistyped, 0, 0.6);
    }

    /// <summary>Whenever in the minute one begins: no sixty seconds see more than the limit.</summary>
    [Fact]
    public void Count_TriesOverManyMinutes_AreNeverMoreThanTheLimitInAnyMinute()
    {
        FailureThrottle throttle = new(1);
        System.Net.IPAddress address = System.Net.IPAddress.Parse("192.0.2.1");
        List<long> tries = [];
        for (long second = 1_000; second < 5_000; second += _random.Next(3))
        {
            int wait = throttle.WaitFor(address, second, 20);
            if (wait == 0)
            {
                Assert.True(throttle.Count(address, second, 20));
                tries.Add(second);
            }
            else
            {
                Assert.True(wait > 0 && throttle.WaitFor(address, second + wait, 20) == 0 && throttle.WaitFor(address, second + wait - 1, 20) == 1, $"{second} {wait}");
            }
        }

        Assert.True(tries.Count > 4_000 / 70 * 20);
        Assert.All(tries, from => Assert.InRange(tries.Count(second => second >= from && second < from + 60), 1, 20));
    }

    private void Try(int count)
    {
        string[] wrong = Many(i => (i % 8) switch
        {
            0 => Mistyped(_keys[i % _keys.Length]),
            1 => Sound(_keys[i % _keys.Length][..40]),
            2 => Sound(KeyText.KeyPrefix),
            3 => _revoked,
            4 => _expired,
            5 => _keys[i % _keys.Length][..^1],
            6 => Hex(1 + _random.Next(600)),
            _ => "blst_" + new string('é', _random.Next(1, 100)),
        });
        Admit(wrong, wrong.Length);
        long calls = _store.Calls;
        long? before = ReadsOfThread();

        Admit(wrong, count);

        // The counter itself was read, and the runtime looks at something of its own now and then.
        Assert.True(before is null || ReadsOfThread() - before < 20 + (count / 1000), $"{ReadsOfThread() - before} reads for {count} keys");
        Assert.InRange(_store.Calls, calls, calls + 10); // the book's own looks, due since the clock went on
        Assert.Equal(0, _house.Guard.Running);
    }

    private void Admit(string[] wrong, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Exchange exchange = new(ProtocolList.OpenAIChat, Operation.Chat, _house.Catalog.Current, _house.Time);
            string? code = null;
            try
            {
                _house.Guard.Admit(exchange, wrong[i % wrong.Length].AsMemory());
            }
            catch (GatewayException refused)
            {
                code = refused.Code;
            }

            if (code != "ballast_invalid_key")
            {
                Assert.Fail($"{wrong[i % wrong.Length]}: {code}");
            }
        }
    }

    /// <summary>Every read that this thread has asked its system for, of files, sockets and anything else; null where the system does not count them.</summary>
    private static long? ReadsOfThread()
    {
        const string counters = "/proc/thread-self/io";
        return !File.Exists(counters) ? null : long.Parse(
            File.ReadLines(counters).Single(static line => line.StartsWith("syscr:", StringComparison.Ordinal))["syscr:".Length..], CultureInfo.InvariantCulture);
    }

    private void Ask(string key) => _directory.Find(key.AsMemory(), Now);

    private static string[] Many(Func<int, string> make) => [.. Enumerable.Range(0, 2048).Select(make)];

    private string Hex(int digits) => _random.GetHexString(digits, lowercase: true);

    /// <summary>A key with this beginning whose checksum is right.</summary>
    private string Sound(string beginning)
    {
        string body = beginning + Hex(KeyText.KeyLength - 8 - beginning.Length);
        uint hash = body.Aggregate(2166136261u, static (sum, letter) => (sum ^ letter) * 16777619);
        hash = (hash ^ (hash >> 15)) * 0x85EBCA6B;
        return body + (hash ^ (hash >> 13)).ToString("x8", CultureInfo.InvariantCulture);
    }

    private string Mistyped(string key)
    {
        int at = _random.Next(KeyText.KeyPrefix.Length, key.Length);
        return key[..at] + (key[at] == 'f' ? '0' : 'f') + key[(at + 1)..];
    }
}
