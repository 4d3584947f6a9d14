using System.Text;
using System.Text.Json;
using Ballast.Configuration;
using Ballast.Sandbox;

namespace Ballast.Cli.Replay;

/// <summary>What a replay is asked to do.</summary>
internal sealed record ReplayRequest(string Folder)
{
    /// <summary>Only exchanges of this provider, or whose id begins with it.</summary>
    public string? Filter { get; init; }

    /// <summary>The caller speaks the recorded protocol.</summary>
    public bool Same { get; init; } = true;

    /// <summary>The caller speaks the other protocol.</summary>
    public bool Cross { get; init; } = true;

    /// <summary>Of the exchanges that can be replayed, every so-many-th one.</summary>
    public int Step { get; init; } = 1;

    /// <summary>Where translated answers are written, or null.</summary>
    public string? KeepFolder { get; init; }
}

/// <summary>Sends every recorded exchange of a folder through the gateway, twice, and judges what came of it.</summary>
internal sealed class ReplayRun(ReplayRequest request)
{
    /// <summary>Exchanges between two looks into the ledger; their bytes are kept so long.</summary>
    private const int BatchCount = 64;

    private const string StandInModel = "recorded-model";

    /// <exception cref="IOException">A recording cannot be read.</exception>
    /// <exception cref="JsonException">The index is not what it should be.</exception>
    public async Task<ReplayTally> RunAsync(Action<ReplayResult>? judged, CancellationToken cancellation)
    {
        RecordedEntry[] entries = [.. RecordedFolder.Index(request.Folder).Where(IsWanted)];
        ReplayTally tally = new();
        await using ReplayHouse house = await ReplayHouse.StartAsync(entries, cancellation).ConfigureAwait(false);
        using ReplayKeep? keep = request.KeepFolder is null ? null : new ReplayKeep(request.KeepFolder);
        foreach (RecordedEntry[] batch in entries.Where((_, index) => index % request.Step == 0).Chunk(BatchCount))
        {
            DateTimeOffset since = house.Time.GetUtcNow();
            List<ReplayPassage> passages = [];
            foreach (RecordedEntry entry in batch)
            {
                if (await PassAsync(house, entry, cancellation).ConfigureAwait(false) is { } passage)
                {
                    passages.Add(passage);
                    keep?.Add(passage);
                }
                else
                {
                    tally.Add(new ReplayResult(entry.Id, entry.Provider, entry.Api, ReplayVerdict.Opaque));
                }
            }

            ReplayJudge judge = new(CompatibilityPage.Embedded, await house.LossesAsync(since, cancellation).ConfigureAwait(false));
            foreach (ReplayPassage passage in passages)
            {
                ReplayResult result = judge.Judge(passage);
                tally.Add(result);
                judged?.Invoke(result);
            }
        }

        return tally;
    }

    private bool IsWanted(RecordedEntry entry) =>
        request.Filter is not { } filter || entry.Provider == filter || entry.Id.StartsWith(filter, StringComparison.Ordinal);

    /// <summary>Null where the gateway has no such interface, or keeps itself what it is about.</summary>
    private async Task<ReplayPassage?> PassAsync(ReplayHouse house, RecordedEntry entry, CancellationToken cancellation)
    {
        RecordedExchange exchange = RecordedFolder.Load(request.Folder, entry);
        if (ReplayRoute.Of(exchange) is not { } route)
        {
            return null;
        }

        bool isResponseOnly = exchange.Request.IsEmpty && exchange.Form.IsEmpty;
        byte[] written = isResponseOnly ? RecordedRequest.Stand(exchange.Api, exchange.Framing != RecordedFraming.Whole) : (exchange.Form.IsEmpty ? exchange.Request : exchange.Form).ToArray();
        string model = route.ModelOf(exchange, written) is { } named && ConfiguredName.IsReference(ReplayHouse.Deployment(exchange, named)) ? named : StandInModel;
        ReplayPassage passage = new(exchange) { Route = route, IsResponseOnly = isResponseOnly, Request = Named(route, exchange, written, model), Model = model };
        if (request.Same || !route.IsTranslated)
        {
            string deployment = route.Operation is not null && route.Api != exchange.Api ? ReplayHouse.Beside(route.Beside, model) : ReplayHouse.Deployment(exchange, model);
            byte[] body = Named(route, exchange, written, deployment);
            passage = passage with { Same = await house.CallAsync(exchange, route, deployment, body, cancellation).ConfigureAwait(false) };
        }

        return request.Cross && route.IsTranslated ? await CrossAsync(house, passage, cancellation).ConfigureAwait(false) : passage;
    }

    /// <summary>The body with another model, where it is the body that names it.</summary>
    private static byte[] Named(ReplayRoute route, RecordedExchange exchange, byte[] body, string model) =>
        !route.NamesModel ? body : exchange.Form.IsEmpty ? RecordedRequest.WithModel(body, model) : RecordedForm.WithModel(body, model);

    private static async Task<ReplayPassage> CrossAsync(ReplayHouse house, ReplayPassage passage, CancellationToken cancellation)
    {
        RecordedExchange exchange = passage.Exchange;
        string other = WireApi.Other(exchange.Api);
        string carrier = ReplayHouse.Carrier(other, passage.Model);
        byte[] body = Named(passage.Route, exchange, passage.Request, carrier);
        ReplayedCall outward = await house.CallAsync(Refusal(exchange, other), passage.Route, carrier, body, cancellation).ConfigureAwait(false);
        if (outward.Arrived is not { } translated)
        {
            return passage with { Outward = outward };
        }

        string deployment = ReplayHouse.Deployment(exchange, passage.Model);
        byte[] back = RecordedRequest.WithModel(translated.Body, deployment);
        return passage with { Outward = outward, OtherRequest = back, Back = await house.CallAsync(exchange, ReplayRoute.Plain(other), deployment, back, cancellation).ConfigureAwait(false) };
    }

    /// <summary>Of the way out only the request matters: the platform refuses it.</summary>
    private static RecordedExchange Refusal(RecordedExchange exchange, string api) => new()
    {
        Id = exchange.Id,
        Provider = exchange.Provider,
        Api = api,
        Status = 400,
        Answer = Encoding.UTF8.GetBytes("""{"type":"error","error":{"type":"invalid_request_error","message":"Only the request is of interest."}}"""),
    };
}
