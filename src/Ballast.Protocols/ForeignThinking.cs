namespace Ballast.Protocols;

/// <summary>
/// Reasoning that crosses into a protocol whose vendor did not issue it is marked by its issuer, so that it can be told apart when the caller sends it back:
/// a signature goes only to the vendor that made it. The mark is stateless and survives a restart.
/// </summary>
public static class ForeignThinking
{
    /// <summary>Every marked value begins with this.</summary>
    public const string Mark = "ballast-thinking:";

    public static ReadOnlySpan<byte> MarkUtf8 => "ballast-thinking:"u8;

    /// <summary>Joins issuer and signature (empty where unsigned) to one opaque value: <c>ballast-thinking:issuer:signature</c>.</summary>
    public static string Wrap(string issuer, string? signature) => $"{Mark}{issuer}:{signature}";

    /// <summary>Takes a marked value apart; false where it bears no mark.</summary>
    public static bool TryUnwrap(string value, out string issuer, out string? signature)
    {
        issuer = "";
        signature = null;
        if (!value.StartsWith(Mark, StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> rest = value.AsSpan(Mark.Length);
        int colon = rest.IndexOf(':');
        issuer = (colon < 0 ? rest : rest[..colon]).ToString();
        signature = colon < 0 || colon == rest.Length - 1 ? null : rest[(colon + 1)..].ToString();
        return true;
    }

    public static bool IsIn(ReadOnlySpan<byte> body) => body.IndexOf(MarkUtf8) >= 0;
}
