using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Ballast.Sandbox.Responses;

/// <summary>
/// Seals what only its issuer may read again: the reasoning of an answer, and a conversation that was compacted. What another issuer sealed, or what was changed on
/// its way, does not open.
/// </summary>
internal sealed class ResponsesSeal(string issuer, bool acceptsRecorded)
{
    /// <summary>How the real ones begin, and these.</summary>
    private const string Lead = "gAAAAAB";

    private const int MacBytes = 32;

    private readonly byte[] _key = SHA256.HashData(Encoding.UTF8.GetBytes("ballast sandbox responses issuer " + issuer));

    public string Seal(string text)
    {
        byte[] content = Encoding.UTF8.GetBytes(text);
        return Lead + Base64Url.EncodeToString([.. HMACSHA256.HashData(_key, content), .. content]);
    }

    /// <summary>What was sealed; null where this issuer did not seal it. A recorded one, where those are taken, holds nothing.</summary>
    public string? Open(string sealedText)
    {
        if (sealedText.StartsWith(Lead, StringComparison.Ordinal) && Base64Url.IsValid(sealedText.AsSpan(Lead.Length)))
        {
            byte[] bytes = Base64Url.DecodeFromChars(sealedText.AsSpan(Lead.Length));
            if (bytes.Length >= MacBytes && CryptographicOperations.FixedTimeEquals(bytes.AsSpan(0, MacBytes), HMACSHA256.HashData(_key, bytes.AsSpan(MacBytes))))
            {
                return Encoding.UTF8.GetString(bytes.AsSpan(MacBytes));
            }
        }

        return acceptsRecorded ? "" : null;
    }
}
