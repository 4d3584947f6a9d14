using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;

namespace Ballast.Sandbox.Aws;

/// <summary>The access keys that are good: the account's own, and temporary ones until they expire.</summary>
internal sealed class AwsKeyRing(SandboxAws aws, TimeProvider time)
{
    /// <summary>More temporary keys than this are not kept: the oldest are forgotten.</summary>
    private const int KeysMax = 10_000;

    private readonly ConcurrentDictionary<string, AwsKey> _keys = new(StringComparer.Ordinal);

    public SandboxAws Account => aws;

    /// <summary>AWS's own clock, which may differ from the caller's.</summary>
    public DateTimeOffset Now => time.GetUtcNow() + aws.ClockOffset;

    public AwsKey? Find(string accessKeyId) => accessKeyId == SandboxAws.AccessKeyId
        ? new AwsKey(SandboxAws.AccessKeyId, SandboxAws.SecretAccessKey, null, DateTimeOffset.MaxValue)
        : _keys.GetValueOrDefault(accessKeyId);

    /// <summary>A temporary key that lasts as long as <see cref="SandboxAws.KeyLifetime"/> says.</summary>
    public AwsKey Issue()
    {
        if (_keys.Count >= KeysMax)
        {
            _keys.Clear();
        }

        string id = "ASIA" + Convert.ToHexString(RandomNumberGenerator.GetBytes(8));
        string secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(30));
        string token = "IQoJb3JpZ2luX2Vj" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(96));
        AwsKey key = new(id, secret, token, Now + aws.KeyLifetime);
        _keys[id] = key;
        aws.CountIssued();
        return key;
    }
}

/// <summary>An access key; temporary ones have a session token and an end.</summary>
internal sealed record AwsKey(string Id, string Secret, string? SessionToken, DateTimeOffset Expires)
{
    public string ExpiresText => Expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
