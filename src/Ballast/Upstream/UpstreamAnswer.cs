using System.Globalization;
using System.IO.Pipelines;

namespace Ballast.Upstream;

/// <summary>An upstream's answer: its head, and its body as it arrives. Disposed of before its end it ends the connection at once, and with it the vendor's work.</summary>
public abstract class UpstreamAnswer : IDisposable
{
    private static readonly string[] s_dateForms = ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    public abstract int Status { get; }

    /// <summary>The body's length in bytes, where the head tells it.</summary>
    public abstract long? ContentLength { get; }

    /// <summary>
    /// The body, without its transfer coding. Reading throws <see cref="IOException"/> where it breaks off, and <see cref="OperationCanceledException"/> once the token
    /// that the request was sent with is cancelled.
    /// </summary>
    public abstract PipeReader Body { get; }

    /// <summary>The first value of a header as it came; null where there is none.</summary>
    public abstract string? Header(string name);

    /// <summary>All values of a header, joined by commas; null where there is none.</summary>
    public abstract string? JoinedHeader(string name);

    /// <summary>Reads Retry-After (seconds or a date) and OpenAI's finer <c>retry-after-ms</c>.</summary>
    public TimeSpan? RetryAfter(TimeProvider time)
    {
        if (Header("retry-after-ms") is { } fine && double.TryParse(fine, CultureInfo.InvariantCulture, out double milliseconds) && milliseconds is >= 0 and < 1e9)
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }

        if (Header("Retry-After")?.Trim() is not { } told)
        {
            return null;
        }

        if (int.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds))
        {
            return TimeSpan.FromSeconds(seconds);
        }

        const DateTimeStyles Styles = DateTimeStyles.AllowInnerWhite | DateTimeStyles.AssumeUniversal;
        if (!DateTimeOffset.TryParseExact(told, s_dateForms, CultureInfo.InvariantCulture, Styles, out DateTimeOffset date))
        {
            return null;
        }

        TimeSpan wait = date - time.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
