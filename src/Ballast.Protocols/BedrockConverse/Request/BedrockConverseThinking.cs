using System.Diagnostics.CodeAnalysis;
using System.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>How reasoning is asked for in this API's requests, and how reasoning that was encrypted is carried: a text, as base64 like every binary value here.</summary>
internal static class BedrockConverseThinking
{
    /// <summary>Precedes encrypted reasoning that is no text: it is kept as it came.</summary>
    private const string BlobMark = "base64:";

    /// <summary>True where reasoning bears another vendor's mark, plainly or as the beginning of a binary value.</summary>
    public static bool IsForeignIn(ReadOnlySpan<byte> body) => ForeignThinking.IsIn(body) || body.IndexOf("YmFsbGFzdC10aGlua2lu"u8) >= 0;

    public static string DataOf(string base64)
    {
        byte[] bytes = new byte[(base64.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(base64, bytes, out int length) && length > 0 && IsText(bytes.AsSpan(0, length))
            && Convert.ToBase64String(bytes.AsSpan(0, length)) == base64
            ? Encoding.ASCII.GetString(bytes, 0, length)
            : BlobMark + base64;
    }

    public static string BlobOf(string data) =>
        data.StartsWith(BlobMark, StringComparison.Ordinal) ? data[BlobMark.Length..] : Convert.ToBase64String(Encoding.UTF8.GetBytes(data));

    /// <summary>Reads <c>thinking</c> (or its older name <c>reasoning_config</c>) among a model's own fields; false where it is of another form.</summary>
    public static bool TryRead(ref JsonFields json, string pointer, [NotNullWhen(true)] out ThinkingOptions? thinking)
    {
        thinking = null;
        if (!json.IsObject)
        {
            return false;
        }

        JsonFields inside = json;
        ThinkingMode? mode = null;
        long? budget = null;
        List<Extra>? extras = null;
        while (inside.NextField(out ReadOnlySpan<char> name))
        {
            switch (name)
            {
                case "type" when inside.IsString:
                    mode = inside.Text(pointer, name) switch
                    {
                        "enabled" => ThinkingMode.Enabled,
                        "disabled" => ThinkingMode.Disabled,
                        "adaptive" => ThinkingMode.Adaptive,
                        _ => null,
                    };
                    break;
                case "budget_tokens" when inside.IsInteger:
                    budget = inside.Integer(pointer, name);
                    break;
                default:
                    inside.Keep(ref extras, pointer, name);
                    break;
            }
        }

        if (mode is null)
        {
            return false;
        }

        json.Skip();
        thinking = new ThinkingOptions(mode.Value, pointer) { BudgetTokens = budget, Extras = (IReadOnlyList<Extra>?)extras ?? [] };
        return true;
    }

    private static bool IsText(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) < 0 && !bytes.StartsWith("base64:"u8);
}
