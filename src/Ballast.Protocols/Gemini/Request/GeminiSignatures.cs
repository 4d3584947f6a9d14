using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Signatures of this protocol stand on parts of any kind and must come back exactly there. On their way through another protocol each is one piece of encrypted reasoning
/// whose data says where it stood (<see cref="SignaturePlace"/>). Signatures of other vendors stand here in base64, since the field holds bytes.
/// </summary>
internal static class GeminiSignatures
{
    /// <summary>The vendor that issues them.</summary>
    public const string NativeIssuer = "google";

    /// <summary>Google's documented value for a call that another vendor's model made (https://ai.google.dev/gemini-api/docs/thought-signatures).</summary>
    public const string SkipValidation = "skip_thought_signature_validator";

    /// <summary>What stands before the data of another vendor's encrypted reasoning; signatures have no colon.</summary>
    private const string RedactedMark = "redacted:";

    /// <summary>The first letters of every foreign mark in base64.</summary>
    private static ReadOnlySpan<byte> Base64Mark => "YmFsbGFzdC10aGlua2luZz"u8;

    public static string WrapForeign(string issuer, string? signature) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(ForeignThinking.Wrap(issuer, signature)));

    public static string WrapRedacted(string issuer, string data) => WrapForeign(issuer, RedactedMark + data);

    /// <summary>Takes a foreign mark apart; false for a signature of this protocol's own vendor.</summary>
    public static bool TryUnwrap(string value, out string issuer, out string? signature, out bool isRedacted)
    {
        isRedacted = false;
        string text = value;
        if (value.StartsWith("YmFsbGFzdC10aGlua2luZz", StringComparison.Ordinal) && Base64.IsValid(value))
        {
            text = Encoding.UTF8.GetString(Convert.FromBase64String(value));
        }

        if (!ForeignThinking.TryUnwrap(text, out issuer, out signature))
        {
            return false;
        }

        if (signature?.StartsWith(RedactedMark, StringComparison.Ordinal) == true)
        {
            isRedacted = true;
            signature = signature[RedactedMark.Length..];
        }

        return true;
    }

    /// <summary>A body that holds a foreign mark, bare or in base64.</summary>
    public static bool HasForeign(ReadOnlySpan<byte> body) => body.IndexOf(Base64Mark) >= 0 || ForeignThinking.IsIn(body);
}

/// <summary>
/// Where in an answer a signature stood: on its n-th call, or on a piece of its text (where it begins and how long it is, in UTF-16 code units of all text of the answer,
/// and how many calls came before).
/// </summary>
internal readonly record struct SignaturePlace(bool IsCall, int Calls, int Start, int Length)
{
    public static SignaturePlace OfCall(int index) => new(true, index, 0, 0);

    public static SignaturePlace OfText(int calls, int start, int length) => new(false, calls, start, length);

    /// <summary>Place and signature as one opaque value.</summary>
    public string Join(string signature) => IsCall
        ? string.Create(CultureInfo.InvariantCulture, $"call{Calls}:{signature}")
        : string.Create(CultureInfo.InvariantCulture, $"text{Start}+{Length}@{Calls}:{signature}");

    public static bool TrySplit(string data, out SignaturePlace place, out string signature)
    {
        place = default;
        int colon = data.IndexOf(':', StringComparison.Ordinal);
        signature = data[(colon + 1)..];
        ReadOnlySpan<char> where = colon < 0 ? [] : data.AsSpan(0, colon);
        if (where.StartsWith("call", StringComparison.Ordinal) && TryNumber(where[4..], out int index))
        {
            place = OfCall(index);
            return true;
        }

        int plus = where.IndexOf('+');
        int at = where.IndexOf('@');
        if (where.StartsWith("text", StringComparison.Ordinal) && plus > 4 && at > plus && TryNumber(where[4..plus], out int start)
            && TryNumber(where[(plus + 1)..at], out int length) && TryNumber(where[(at + 1)..], out int calls))
        {
            place = OfText(calls, start, length);
            return true;
        }

        return false;
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
