using System.Security.Cryptography;
using System.Text;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Signs thinking, so that a replay can be checked: only text that this issuer gave out is taken back.</summary>
internal sealed class ThinkingSignature(string issuer, bool acceptsRecorded)
{
    /// <summary>What cannot be checked is taken.</summary>
    public bool AcceptsRecorded => acceptsRecorded;

    /// <summary>The first byte of real signatures, and of these.</summary>
    private const byte Marker = 0x12;

    private const int MacBytes = 32;

    private readonly byte[] _key = SHA256.HashData(Encoding.UTF8.GetBytes("ballast sandbox issuer " + issuer));

    public string Sign(string thinking) => Convert.ToBase64String([Marker, .. Mac(thinking)]);

    public bool Verify(string thinking, string signature)
    {
        byte[] bytes = new byte[(signature.Length * 3 / 4) + 3];
        bool isOurs = Convert.TryFromBase64String(signature, bytes, out int length) && length == MacBytes + 1 && bytes[0] == Marker;
        return isOurs ? CryptographicOperations.FixedTimeEquals(bytes.AsSpan(1, MacBytes), Mac(thinking)) : acceptsRecorded;
    }

    private byte[] Mac(string thinking) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(thinking));
}
