namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// Names each request for the platform's billing log and remembers what the gateway called it. Hangs up at once: by itself the framework reads a response that was
/// given up for two more seconds, in the hope of using its connection again.
/// </summary>
internal sealed class WatchedHandler() : DelegatingHandler(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero })
{
    /// <summary>The last request's id, as billing rows and ledger rows know it.</summary>
    public string Id { get; private set; } = "";

    /// <summary>What the last request had lost, as the gateway names it.</summary>
    public string Losses { get; private set; } = "";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Id = Guid.NewGuid().ToString();
        request.Headers.Remove("x-client-request-id");
        request.Headers.Add("x-client-request-id", Id);
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        Id = response.Headers.TryGetValues("x-ballast-request-id", out IEnumerable<string>? ids) ? ids.First() : Id;
        Losses = response.Headers.TryGetValues("x-ballast-loss", out IEnumerable<string>? losses) ? string.Join(' ', losses) : "";
        return response;
    }
}
