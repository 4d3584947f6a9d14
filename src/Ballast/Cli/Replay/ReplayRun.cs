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

    /// <summary>Null where there is nothing to translate: another interface, or another method than POST.</summary>
    private async Task<ReplayPassage?> PassAsync(ReplayHouse house, RecordedEntry entry, CancellationToken cancellation)
    {
        if (!WireApi.IsKnown(entry.Api))
        {
            return null;
        }

        RecordedExchange exchange = RecordedFolder.Load(request.Folder, entry);
        if (exchange.Method != "POST")
        {
            return null;
        }

        bool isResponseOnly = exchange.Request.IsEmpty;
        byte[] written = isResponseOnly ? RecordedRequest.Stand(exchange.Api, exchange.IsEventStream) : exchange.Request.ToArray();
        string model = RecordedRequest.ModelOf(written) is { } named && ConfiguredName.IsReference(ReplayHouse.Deployment(exchange, named)) ? named : StandInModel;
        ReplayPassage passage = new(exchange) { IsResponseOnly = isResponseOnly, Request = RecordedRequest.WithModel(written, model), Model = model };
        if (request.Same)
        {
            byte[] body = RecordedRequest.WithModel(written, ReplayHouse.Deployment(exchange, model));
            passage = passage with { Same = await house.CallAsync(exchange, exchange.Api, body, cancellation).ConfigureAwait(false) };
        }

        return request.Cross ? await CrossAsync(house, passage, cancellation).ConfigureAwait(false) : passage;
    }

    private static async Task<ReplayPassage> CrossAsync(ReplayHouse house, ReplayPassage passage, CancellationToken cancellation)
    {
        RecordedExchange exchange = passage.Exchange;
        string other = WireApi.Other(exchange.Api);
        byte[] body = RecordedRequest.WithModel(passage.Request, ReplayHouse.Carrier(other, passage.Model));
        ReplayedCall outward = await house.CallAsync(Refusal(exchange, other), exchange.Api, body, cancellation).ConfigureAwait(false);
        if (outward.Arrived is not { } translated)
        {
            return passage with { Outward = outward };
        }

        byte[] back = RecordedRequest.WithModel(translated.Body, ReplayHouse.Deployment(exchange, passage.Model));
        return passage with { Outward = outward, OtherRequest = back, Back = await house.CallAsync(exchange, other, back, cancellation).ConfigureAwait(false) };
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
