using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Gateway;
using Ballast.Transport;

namespace Ballast.Server;

/// <summary>
/// Web pages' scripts at the port for clients, as https://fetch.spec.whatwg.org/#http-cors-protocol has it: their browser asks first whether they may, without a key, and is
/// answered before anything else is looked at. Off unless origins are written down.
/// </summary>
internal static class CrossOrigin
{
    private const string Methods = "GET, HEAD, POST, DELETE";

    /// <summary>Most that is repeated of the names of headers that a script wants to send, in characters; the vendors' SDKs ask for some 400.</summary>
    private const int HeaderNamesMax = 4096;

    /// <summary>How long a browser may go by the answer, in seconds; none does for longer than two hours.</summary>
    private const string MaxAgeSeconds = "600";

    public static Task DispatchAsync(HttpCall http, GatewayHandler handler, CorsOptions? cors, GatewayError? refusal)
    {
        bool isAsked = http.Method == "OPTIONS" && http.Header("access-control-request-method") is not null;
        if ((cors is null && !isAsked) || http.Header("origin") is not { Length: > 0 } origin)
        {
            return ProtocolEndpoints.DispatchAsync(http, handler, refusal);
        }

        if (cors is null || !cors.Allows(origin))
        {
            // Its browser keeps the answer of any other request from the script; what cannot be read by it need not be refused.
            return isAsked ? handler.RefuseAsync(http, ProtocolEndpoints.Spoken(http, http.Path), GatewayError.OriginNotAllowed) : ProtocolEndpoints.DispatchAsync(http, handler, refusal);
        }

        BrowserCall call = new(http, cors.Origins.Contains(CorsOptions.AnyOrigin) ? CorsOptions.AnyOrigin : origin);
        return isAsked ? AllowAsync(call) : ProtocolEndpoints.DispatchAsync(call, handler, refusal);
    }

    private static Task<bool> AllowAsync(BrowserCall call)
    {
        call.Status = 204;
        call.SetHeader("Access-Control-Allow-Methods", Methods);
        call.SetHeader("Access-Control-Max-Age", MaxAgeSeconds);
        call.SetHeader("Vary", "Origin, Access-Control-Request-Headers");
        if (call.Header("access-control-request-headers") is { Length: > 0 and <= HeaderNamesMax } names && names.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or ',' or ' '))
        {
            call.SetHeader("Access-Control-Allow-Headers", names); // '*' would leave out Authorization
        }

        return call.FlushAsync(CancellationToken.None).AsTask();
    }
}
