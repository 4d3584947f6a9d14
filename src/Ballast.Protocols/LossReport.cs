namespace Ballast.Protocols;

/// <summary>One thing that could not cross protocols: the JSON pointer in the body it stood in, and why.</summary>
/// <param name="Pointer">RFC 6901 pointer into the caller's request, or into the upstream's answer when <paramref name="InResponse"/>.</param>
/// <param name="Reason">A short sentence for people.</param>
/// <param name="InResponse">It stood in the answer, not in the request.</param>
public sealed record Loss(string Pointer, string Reason, bool InResponse);

/// <summary>Collects what could not cross; at most <see cref="CountMax"/> entries are kept, further ones only counted.</summary>
public sealed class LossReport
{
    /// <summary>Entries kept: a bound on a ledger row. A long conversation with a loss in every turn stays below it.</summary>
    public const int CountMax = 1024;

    // Most answers have none: there are no lists before the first.
    private List<Loss>? _losses;
    private HashSet<(string Pointer, bool InResponse)>? _known;

    public IReadOnlyList<Loss> Losses => _losses ?? (IReadOnlyList<Loss>)[];

    /// <summary>All losses seen, kept or not.</summary>
    public int Count { get; private set; }

    public void Add(string pointer, string reason) => Add(new Loss(pointer, reason, InResponse: false));

    public void AddInResponse(string pointer, string reason) => Add(new Loss(pointer, reason, InResponse: true));

    private void Add(Loss loss)
    {
        _losses ??= [];
        _known ??= [];
        if (_losses.Count >= CountMax)
        {
            Count++;
        }
        else if (_known.Add((loss.Pointer, loss.InResponse)))
        {
            Count++;
            _losses.Add(loss);
        }
    }
}
