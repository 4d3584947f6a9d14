using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Ledger;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Operations;

namespace Ballast.Gateway.Files;

/// <summary>
/// Passes the results of a batch of Messages on as they arrive. What all its answers used and cost is booked once, when they have first been read to their end: a row for
/// each model, every answer at the price of its own length.
/// </summary>
internal sealed class ResultsWork : PassingWork
{
    private readonly HandleStore _handles;
    private readonly Dictionary<Deployment, Sum> _sums = [];
    private readonly MessageBatchResults _results;
    private Attempt? _attempt;

    public ResultsWork(Exchange exchange, Handle subject, HandleStore handles, ClientResponse response) : base(exchange, subject, "/results", response)
    {
        _handles = handles;
        _results = new MessageBatchResults(Count);
    }

    protected override void Look(Attempt attempt, ReadOnlySpan<byte> bytes)
    {
        _attempt = attempt;
        _results.Add(bytes);
    }

    protected override async Task EndAsync(Attempt attempt)
    {
        _attempt = attempt;
        _results.End();

        // The list asks anew for what it has not seen at its end.
        ReadOnlyMemory<byte> seen = KeptAnswers.HasEnded(Subject) ? Subject.Object : default;
        if (Subject.IsFinal || !await _handles.UpdateAsync(Subject with { IsFinal = true, Object = seen }).ConfigureAwait(false))
        {
            return;
        }

        Exchange.Batch = Subject.Name;
        attempt.Usage = _sums.Remove(attempt.Deployment, out Sum? own) ? own.Usage : new Usage { ServiceTier = ServiceTier.Batch };
        attempt.Usage = _results.IsIncomplete ? attempt.Usage with { IsEstimated = true } : attempt.Usage;
        attempt.Costs = own?.Costs ?? (_results.IsIncomplete ? (null, null) : (0, 0));
        foreach ((Deployment deployment, Sum sum) in _sums)
        {
            Attempt further = Exchange.BeginAttempt(deployment);
            further.Usage = sum.Usage;
            further.Costs = sum.Costs;
            (further.Result, further.HasEnded, further.UpstreamStatus) = (AttemptResult.Completed, true, attempt.UpstreamStatus);
        }

        (attempt.Result, attempt.HasEnded) = (AttemptResult.Completed, true);
    }

    private void Count(string model, Usage usage)
    {
        Deployment deployment = ServedBy(model);
        (decimal? cost, decimal? inputCost) = Pricing.Costs(deployment.Prices?.At(_attempt!.StartedAt, ServiceTier.Batch), usage);
        if (!_sums.TryGetValue(deployment, out Sum? sum))
        {
            _sums[deployment] = sum = new Sum();
        }

        sum.Add(usage, cost, inputCost);
    }

    /// <summary>
    /// Of the batch's models the one whose name there is that of the model that answered, or the longest beginning of it (a platform adds the date); else the one that the
    /// batch is known by.
    /// </summary>
    private Deployment ServedBy(string model)
    {
        Deployment? best = null;
        foreach (string name in Subject.Models)
        {
            Deployment? here = Exchange.Catalog.FindModel(name)?.Candidates.Select(static candidate => candidate.Deployment)
                .FirstOrDefault(deployment => deployment.Provider == _attempt!.Deployment.Provider);
            if (here is not null && model.StartsWith(here.SentModel, StringComparison.Ordinal) && here.SentModel.Length > (best?.SentModel.Length ?? 0))
            {
                best = here;
            }
        }

        return best ?? _attempt!.Deployment;
    }

    private sealed class Sum
    {
        public Usage Usage { get; private set; } = new() { ServiceTier = ServiceTier.Batch };

        public (decimal? Cost, decimal? InputCost) Costs { get; private set; } = (0, 0);

        public void Add(Usage more, decimal? cost, decimal? inputCost)
        {
            Usage = Usage with
            {
                InputTokens = Usage.InputTokens + more.InputTokens,
                CacheReadTokens = Usage.CacheReadTokens + more.CacheReadTokens,
                CacheWriteTokens = Usage.CacheWriteTokens + more.CacheWriteTokens,
                CacheWriteLongTokens = Usage.CacheWriteLongTokens + more.CacheWriteLongTokens,
                OutputTokens = Usage.OutputTokens + more.OutputTokens,
                Media = more.Media is null ? Usage.Media : MediaUsage.Sum(Usage.Media ?? new MediaUsage(), more.Media),
            };
            Costs = (Costs.Cost + cost, Costs.InputCost + inputCost);
        }
    }
}
