using Ballast.Catalog;
using Ballast.Ledger;

namespace Ballast.Balance;

/// <summary>Two providers that fail in the same minutes although nothing declared connects them.</summary>
/// <param name="One">A provider.</param>
/// <param name="Other">Another one.</param>
/// <param name="Phi">Correlation of their failing minutes, from -1 to 1.</param>
/// <param name="Minutes">Minutes in which both failed.</param>
public sealed record SharedFailure(string One, string Other, double Phi, int Minutes)
{
    /// <summary>From here on it is told.</summary>
    public const double PhiMin = 0.3;

    /// <summary>Fewer common minutes may be chance.</summary>
    public const int MinutesMin = 5;

    /// <summary>A minute counts as failing from this part of its attempts on.</summary>
    private const double FailingShare = 0.5;

    /// <summary>Looks at the minutes in which both were asked.</summary>
    public static IReadOnlyList<SharedFailure> Find(IReadOnlyList<DemandMinute> demand)
    {
        Dictionary<string, Dictionary<long, (int Asked, int Failing)>> sums = new(StringComparer.Ordinal);
        Dictionary<DemandLabel, Dictionary<long, (int Asked, int Failing)>> places = new(ReferenceEqualityComparer.Instance);
        foreach (DemandMinute cell in demand)
        {
            if (cell.Asked == 0)
            {
                continue;
            }

            if (!places.TryGetValue(cell.Label, out Dictionary<long, (int Asked, int Failing)>? own))
            {
                string provider = cell.Label.Deployment.Split('/', 2)[0];
                if (!sums.TryGetValue(provider, out own))
                {
                    sums[provider] = own = [];
                }

                places[cell.Label] = own;
            }

            (int asked, int failing) = own.GetValueOrDefault(cell.Minute);
            own[cell.Minute] = (asked + cell.Asked, failing + cell.Failing);
        }

        Dictionary<string, Dictionary<long, bool>> minutes = sums.ToDictionary(
            static provider => provider.Key, static provider => provider.Value.ToDictionary(static minute => minute.Key, static minute => minute.Value.Failing >= FailingShare * minute.Value.Asked), StringComparer.Ordinal);
        string[] names = [.. minutes.Keys.Order(StringComparer.Ordinal)];
        return
        [
            .. from one in names
               from other in names
               where string.CompareOrdinal(one, other) < 0
               let mode = Of(one, other, minutes[one], minutes[other])
               where mode.Phi >= PhiMin && mode.Minutes >= MinutesMin
               orderby mode.Phi descending
               select mode,
        ];
    }

    /// <summary>As a link of the component graph: both need something that has no name yet.</summary>
    public IEnumerable<ComponentLink> ToLinks()
    {
        Component hidden = new(ComponentKind.Network, $"common-mode-of-{One}-and-{Other}");
        string source = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"failed together in {Minutes} minutes, phi {Phi:0.00}");
        yield return new ComponentLink(new Component(ComponentKind.Provider, One), hidden, Provenance.Observed, source);
        yield return new ComponentLink(new Component(ComponentKind.Provider, Other), hidden, Provenance.Observed, source);
    }

    private static SharedFailure Of(string one, string other, Dictionary<long, bool> left, Dictionary<long, bool> right)
    {
        long both = 0, onlyOne = 0, onlyOther = 0, neither = 0;
        foreach ((long minute, bool failed) in left)
        {
            if (right.TryGetValue(minute, out bool otherFailed))
            {
                both += failed && otherFailed ? 1 : 0;
                onlyOne += failed && !otherFailed ? 1 : 0;
                onlyOther += !failed && otherFailed ? 1 : 0;
                neither += !failed && !otherFailed ? 1 : 0;
            }
        }

        double scale = Math.Sqrt((double)(both + onlyOne) * (both + onlyOther) * (onlyOne + neither) * (onlyOther + neither));
        return new SharedFailure(one, other, scale == 0 ? 0 : ((both * (double)neither) - ((double)onlyOne * onlyOther)) / scale, (int)both);
    }
}
