using System.Buffers;
using Ballast.Transport;

namespace Ballast.Server;

/// <summary>Health and readiness on the port for clients, where load balancers and orchestrators of other machines can ask; they say no more than that, and ask for no key.</summary>
internal static class HealthPaths
{
    /// <summary>Answers a question about health; null where <paramref name="path"/> asks for something else.</summary>
    /// <param name="http">The request.</param>
    /// <param name="path">Without a slash at its end.</param>
    /// <param name="isReady">Requests are taken.</param>
    public static Task? Answer(HttpCall http, string path, bool isReady)
    {
        if (path is not ("/health" or "/ready") || http.Method is not ("GET" or "HEAD"))
        {
            return null;
        }

        ReadOnlySpan<byte> text = path == "/health" ? "ok\n"u8 : isReady ? "ready\n"u8 : "not ready\n"u8;
        http.Status = path == "/health" || isReady ? 200 : 503;
        http.SetHeader("Content-Type", "text/plain; charset=utf-8");
        http.SetHeader("Cache-Control", "no-store");
        http.ResponseLength = text.Length;
        http.Output.Write(text);
        return http.FlushAsync(CancellationToken.None).AsTask();
    }
}
