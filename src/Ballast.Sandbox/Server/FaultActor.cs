using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Server;

/// <summary>Lets the faults happen that come before any answer.</summary>
internal static class FaultActor
{
    /// <summary>Where <see cref="FaultKind.Redirect"/> points: a name that no resolver knows.</summary>
    public const string RedirectHost = "http://redirected.invalid";

    private const string HtmlPage =
        "<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center><h1>502 Bad Gateway</h1></center>\n"
        + "<hr><center>nginx</center>\n</body>\n</html>\n";

    /// <returns>Whether the request is done with.</returns>
    public static async Task<bool> ActAsync(Visit visit, PlatformSimulator simulator)
    {
        if (visit.Fault is not { } fault)
        {
            return false;
        }

        switch (fault.Kind)
        {
            case FaultKind.Refuse:
                await visit.ResetAsync().ConfigureAwait(false);
                return true;
            case FaultKind.Blackhole:
                await visit.WaitForEverAsync().ConfigureAwait(false);
                await visit.ResetAsync().ConfigureAwait(false);
                return true;
            case FaultKind.SlowFirstByte:
                await visit.PauseAsync(fault.Delay).ConfigureAwait(false);
                return false;
            case FaultKind.RateLimit:
                throw new VendorErrorException(simulator.FaultError(fault.Kind, visit) with { RetryAfter = fault.RetryAfter });
            case FaultKind.TooLarge413:
                throw new VendorErrorException(simulator.TooLarge);
            case FaultKind.Quota or FaultKind.Forbidden403 or FaultKind.Error500 or FaultKind.Error503 or FaultKind.Overloaded529:
                throw new VendorErrorException(simulator.FaultError(fault.Kind, visit));
            case FaultKind.StreamErrorFirst or FaultKind.StreamErrorAfter when !visit.Billing.Stream:
                throw new VendorErrorException(simulator.FaultError(FaultKind.Error500, visit));
            case FaultKind.StreamErrorFirst:
                await AnswerPlayer.StreamAsync(visit, [simulator.ErrorEvent(visit)], simulator.ErrorEvent(visit)).ConfigureAwait(false);
                return true;
            case FaultKind.HtmlError:
                await SendTextAsync(visit, StatusCodes.Status502BadGateway, "text/html", HtmlPage).ConfigureAwait(false);
                return true;
            case FaultKind.Empty200:
                await SendTextAsync(visit, StatusCodes.Status200OK, "application/json", "").ConfigureAwait(false);
                return true;
            case FaultKind.Redirect:
                visit.Http.Response.Headers.Location = RedirectHost + visit.Path;
                await SendTextAsync(visit, StatusCodes.Status307TemporaryRedirect, "text/plain", "").ConfigureAwait(false);
                return true;
            default:
                return false;
        }
    }

    public static void WriteRetryAfter(TimeSpan? wait, IHeaderDictionary headers)
    {
        if (wait is { } length)
        {
            headers.RetryAfter = ((long)Math.Ceiling(length.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
    }

    private static async Task SendTextAsync(Visit visit, int status, string contentType, string text)
    {
        HttpResponse response = visit.Http.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = Encoding.UTF8.GetByteCount(text);
        visit.Billing.Status = status;
        await response.WriteAsync(text, visit.Http.RequestAborted).ConfigureAwait(false);
    }
}
