using System.Globalization;
using System.Text;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox;

/// <summary>The faults in force, for all platforms of one sandbox.</summary>
public sealed class FaultBook
{
    /// <summary>More rules than this are refused.</summary>
    public const int MaxRules = 1000;

    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];
    private Dice _dice;
    private int _lastId;

    internal FaultBook(int seed) => _dice = new Dice(seed, "faults");

    public IReadOnlyList<FaultRule> Rules
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries.Select(entry => entry.Rule with { Count = entry.Left })];
            }
        }
    }

    /// <returns>The rule as kept, with its id.</returns>
    public FaultRule Add(FaultRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rule.Probability is >= 0 and <= 1, true, nameof(FaultRule.Probability));
        ArgumentOutOfRangeException.ThrowIfNegative(rule.AfterEvents, nameof(FaultRule.AfterEvents));
        lock (_gate)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(_entries.Count, MaxRules, nameof(rule));
            _lastId++;
            FaultRule kept = rule.Id.Length > 0 ? rule : rule with { Id = "fault-" + _lastId.ToString(CultureInfo.InvariantCulture) };
            _entries.RemoveAll(entry => entry.Rule.Id == kept.Id);
            _entries.Add(new Entry(kept, kept.Count));
            return kept;
        }
    }

    public bool Remove(string id)
    {
        lock (_gate)
        {
            return _entries.RemoveAll(entry => entry.Rule.Id == id) > 0;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
        }
    }

    /// <summary>The rule that befalls this request, counted as applied; null where none does.</summary>
    internal FaultRule? Take(string platform, string? model, string path, ReadOnlySpan<byte> body)
    {
        lock (_gate)
        {
            foreach (Entry entry in _entries)
            {
                if (entry.Left is not 0 && Fits(entry.Rule, platform, model, path, body) && _dice.NextDouble() < entry.Rule.Probability)
                {
                    entry.Left--;
                    return entry.Rule;
                }
            }

            return null;
        }
    }

    private static bool Fits(FaultRule rule, string platform, string? model, string path, ReadOnlySpan<byte> body) =>
        (rule.Platform == "*" || rule.Platform == platform)
        && (rule.Model is null || rule.Model == model)
        && (rule.PathContains is null || path.Contains(rule.PathContains, StringComparison.Ordinal))
        && (rule.BodyContains is null || body.IndexOf(Encoding.UTF8.GetBytes(rule.BodyContains)) >= 0);

    private sealed class Entry(FaultRule rule, int? left)
    {
        public FaultRule Rule { get; } = rule;

        public int? Left { get; set; } = left;
    }
}
