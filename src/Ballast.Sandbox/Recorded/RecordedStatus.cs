namespace Ballast.Sandbox;

/// <summary>Which status a caller may be given for the one with which a platform refused or failed.</summary>
public static class RecordedStatus
{
    /// <param name="exchange">What the platform answered.</param>
    /// <param name="given">The caller's.</param>
    /// <param name="api">The caller's protocol.</param>
    public static bool IsFair(RecordedExchange exchange, int given, string api)
    {
        int recorded = exchange.Status;
        if (recorded == given)
        {
            return true;
        }

        return recorded switch
        {
            // The gateway's own credentials were refused: not the caller's fault.
            401 or 403 => given == 502,
            // Google says so with the status of a malformed request.
            400 when exchange.Answer.Span.IndexOf("API_KEY_INVALID"u8) >= 0 => given == 502,
            // An error inside an answer whose status said that all was well.
            < 400 => given >= 400,
            // The platform's own time limit is not the caller's.
            408 => given == 504,
            // "Overloaded" has its own number in one protocol only.
            529 or 503 => given is 503 or 529,
            // Further client errors have no number of their own in one of the protocols.
            >= 400 and < 500 => given is 400 or (>= 400 and < 500 and not 401 and not 403),
            _ => given >= 500 && api.Length > 0,
        };
    }
}
