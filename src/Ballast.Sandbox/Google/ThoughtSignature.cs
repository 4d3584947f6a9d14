using System.Security.Cryptography;
using System.Text;

namespace Ballast.Sandbox.Google;

/// <summary>
/// Signs parts of an answer, so that their return can be checked: a signature is good only unchanged, and on a part of the kind that it was given with.
/// </summary>
/// <param name="acceptsRecorded">What cannot be checked is taken.</param>
internal sealed class ThoughtSignature(bool acceptsRecorded)
{
    /// <summary>The documented value for calls that another model made (https://ai.google.dev/gemini-api/docs/thought-signatures).</summary>
    private const string Skip = "skip_thought_signature_validator";

    private const int NonceBytes = 12;
    private const int MacBytes = 32;

    /// <summary>The first bytes of real signatures, and of these.</summary>
    private static readonly byte[] s_marker = [0x12, 0xFB, 0x01];

    private readonly byte[] _key = SHA256.HashData("ballast sandbox issuer google"u8);

    public bool AcceptsRecorded => acceptsRecorded;

    /// <param name="kind">Text, or a call of a function by its name.</param>
    /// <param name="nonce">Makes it unlike others.</param>
    public string Sign(string kind, string nonce)
    {
        byte[] fresh = SHA256.HashData(Encoding.UTF8.GetBytes(nonce))[..NonceBytes];
        return Convert.ToBase64String([.. s_marker, .. fresh, .. Mac(fresh, kind)]);
    }

    public bool Verify(byte[] signature, string kind)
    {
        if (acceptsRecorded || IsSkip(signature))
        {
            return true;
        }

        bool isOurs = signature.Length == s_marker.Length + NonceBytes + MacBytes && signature.AsSpan().StartsWith(s_marker);
        return isOurs && CryptographicOperations.FixedTimeEquals(
            signature.AsSpan(s_marker.Length + NonceBytes), Mac(signature[s_marker.Length..(s_marker.Length + NonceBytes)], kind));
    }

    /// <summary>The value arrives decoded, as if it were base64 of something.</summary>
    private static bool IsSkip(byte[] signature) => Convert.ToBase64String(signature).Replace('/', '_') == Skip;

    private byte[] Mac(byte[] nonce, string kind) => HMACSHA256.HashData(_key, (byte[])[.. nonce, .. Encoding.UTF8.GetBytes(kind)]);
}
