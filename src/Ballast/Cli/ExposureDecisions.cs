using System.Globalization;
using Ballast.Balance;
using Ballast.Balance.Capacity;
using Ballast.Catalog;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary>What somebody has to decide, the most pressing first: what is the matter, and what can be done about it.</summary>
internal static class ExposureDecisions
{
    /// <summary>More than this nobody decides at once.</summary>
    private const int EachMax = 5;

    private const double NoticedFrom = 0.005;

    public static IReadOnlyList<(string Matter, string Choice)> Of(ExposureFindings found) =>
    [
        .. OfSurvival(found.Analysis), .. OfLimits(found), .. OfModels(found.Analysis), .. OfCapacity(found.Analysis), .. OfHidden(found), .. OfAnnounced(found), .. OfProof(found.Analysis),
    ];

    private static IEnumerable<(string, string)> OfSurvival(ExposureAnalysis analysis) =>
        analysis.Survival.Where(static check => check.Holds == false).Select(static check => (
            $"'{check.Rule}' wants {Percent(check.Keep)} of the work to go on without any one component; without {Name(check.Worst!.Value)} only {Percent(check.Left.High)} would.",
            "Raise the quotas elsewhere, add a lawful deployment without it, or agree on less."));

    private static IEnumerable<(string, string)> OfLimits(ExposureFindings found)
    {
        foreach (LimitCheck limit in found.Limits.Where(static limit => limit.State == LimitState.Breached))
        {
            yield return ($"The limit '{limit.Rule.Id}' was exceeded without a suspension: {Percent(limit.Share ?? 0)}.", "Find out why: traffic may have gone past the gateway's policy.");
        }

        foreach (string rule in found.Relaxations.Where(static one => one.Cause == RelaxationCause.Eligibility).Select(static one => one.Rule).Distinct(StringComparer.Ordinal).Take(EachMax))
        {
            yield return ($"The limit '{rule}' cannot hold for some of the work even with everything up.", "Change the limit, or add a lawful deployment.");
        }
    }

    /// <summary>One line for all models that hang on the same things.</summary>
    private static IEnumerable<(string, string)> OfModels(ExposureAnalysis analysis) =>
        analysis.Models.Where(static model => model.SinglePoints.Any()).GroupBy(static model => string.Join(" or ", Foremost(model).Select(Name))).Take(EachMax).Select(static same => (
            $"{Names([.. same])} stop{(same.Select(static model => model.Model).Distinct(StringComparer.Ordinal).Count() == 1 ? "s" : "")} without {same.Key}.", "Add a deployment without it, or accept the risk in writing."));

    /// <summary>A model with one deployment hangs on all that it needs; who operates and who makes it say enough.</summary>
    private static IEnumerable<Component> Foremost(ModelCuts model)
    {
        Component[] points = [.. model.SinglePoints];
        Component[] first = [.. points.Where(static point => point.Kind is ComponentKind.Platform or ComponentKind.Vendor)];
        return first.Length > 0 ? first : points.Take(3);
    }

    private static IEnumerable<(string, string)> OfCapacity(ExposureAnalysis analysis)
    {
        foreach (CapacityLeft left in analysis.Capacity.Where(static left => left.Gone.Count == 1 && left.Gone[0].Kind is ComponentKind.Platform or ComponentKind.Vendor && left.Peak.High < 1 - NoticedFrom).OrderBy(static left => left.Peak.High).Take(2))
        {
            ComponentUse use = analysis.Dimensions.SelectMany(static dimension => dimension.Components).First(use => use.Component == left.Gone[0]);
            if (use.Room < 1 - NoticedFrom)
            {
                yield return ($"Without {Name(left.Gone[0])} the quotas elsewhere carry {Percent(left.Peak.High)} of the busiest minutes.", "Ask for more quota there before it is needed.");
            }
        }

        if (analysis.UnknownQuotas.Count > 0 && analysis.Requests > 0)
        {
            yield return ($"Nobody knows whether there is room elsewhere: the quota of {List(analysis.UnknownQuotas)} is unknown.", "Declare it (quota: in the configuration).");
        }
    }

    private static IEnumerable<(string, string)> OfAnnounced(ExposureFindings found) =>
        found.Shifts.Where(static shift => shift.Kind == "end_of_life").Take(EachMax).Select(static shift => (
            string.Create(CultureInfo.InvariantCulture, $"{shift.Subject} ends on {shift.At:yyyy-MM-dd}{(shift.Apps.Count == 0 ? "" : $"; {List(shift.Apps)} used it")}."), "Name its successor before that day."));

    private static IEnumerable<(string, string)> OfHidden(ExposureFindings found)
    {
        foreach (SharedFailure mode in found.Analysis.SharedFailures.Take(EachMax))
        {
            yield return (string.Create(CultureInfo.InvariantCulture, $"{mode.One} and {mode.Other} failed together in {mode.Minutes} minutes (phi {mode.Phi:0.00}), and nothing declared connects them."), "Find out what they share.");
        }

        foreach (ObservedPlace place in found.Places.Where(static place => place.Mismatches.Any()).Take(EachMax))
        {
            yield return ($"{place.Provider.Name} is configured as {place.Provider.Platform} and its address lies in {string.Join(", ", place.Mismatches.Select(Name))}.", "It falls with that cloud: count it there, or ask the vendor.");
        }

        if (found.Analysis.CommonModeGap >= 0.5)
        {
            yield return (string.Create(CultureInfo.InvariantCulture, $"There seem to be {found.Analysis.CommonModeGap:0.0} more vendors than platforms: several vendors stand on the same platform."), "Judge the spread by platforms.");
        }
    }

    private static IEnumerable<(string, string)> OfProof(ExposureAnalysis analysis)
    {
        ComponentUse? worst = analysis.Dimensions.Where(static dimension => dimension.Kind is ComponentKind.Platform or ComponentKind.Vendor).SelectMany(static dimension => dimension.Components).MaxBy(static use => use.Unproven - use.Stops);
        if (worst is not null && worst.Unproven - worst.Stops > NoticedFrom)
        {
            yield return ($"For {Percent(worst.Unproven - worst.Stops)} of the critical work nobody has shown that another model can take over from {Name(worst.Component)}.", "Try the substitutes, and write down what was shown (substitutes: in the policy).");
        }
    }

    /// <summary>Models that the same apps use are named together.</summary>
    private static string Names(ModelCuts[] models) => string.Join(", ",
        models.GroupBy(static model => model.Model, StringComparer.Ordinal).Select(static same => (Model: same.Key, Apps: List([.. same.SelectMany(static model => model.Apps).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)])))
            .GroupBy(static model => model.Apps, StringComparer.Ordinal).Select(static same => List([.. same.Select(static model => model.Model)]) + (same.Key.Length == 0 ? "" : $" (for {same.Key})")));

    private static string List(IReadOnlyList<string> names) => string.Join(", ", names.Take(4)) + (names.Count > 4 ? $" and {names.Count - 4} more" : "");

    private static string Name(Component component) => $"{component.Name} ({ComponentKindName.Of(component.Kind)})";

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");
}
