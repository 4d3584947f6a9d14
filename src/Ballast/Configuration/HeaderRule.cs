namespace Ballast.Configuration;

/// <summary>Which headers a provider may be given: none that carries a credential, frames the message, or breaks a line.</summary>
internal static class HeaderRule
{
    public const string Hint = "headers are for plain extras such as OpenAI-Organization; credentials go into api_key";

    private const int ValueLengthMax = 4096;

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "api-key", "x-api-key", "x-goog-api-key", "Host", "Connection", "Content-Length",
        "Content-Type", "Content-Encoding", "Transfer-Encoding", "Accept-Encoding", "TE", "Trailer", "Upgrade", "Expect", "Keep-Alive",
        "x-client-request-id",
    };

    public static bool IsName(string name) => name.Length is > 0 and <= 128 && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>What is wrong with a header; null where nothing is. The value is never part of it.</summary>
    public static string? Fault(string name, string value)
    {
        if (!IsName(name))
        {
            return "this is not a header's name";
        }

        return Reserved.Contains(name) ? $"header '{name}' is set by Ballast itself"
            : value.Length > ValueLengthMax || value.Any(static c => c is < ' ' or > '~') ? $"the value of header '{name}' is too long or holds a line end or another character that headers cannot carry"
            : null;
    }
}
