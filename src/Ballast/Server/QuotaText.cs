using System.Globalization;
using System.Text;
using Ballast.Catalog;
using Ballast.Routing.Metering;

namespace Ballast.Server;

/// <summary>The part of <c>/metrics</c> about hard quotas: what of each counts now, how much it is, and how often somebody was passed over for it.</summary>
internal static class QuotaText
{
    public static void Write(StringBuilder text, QuotaBook quotas, CatalogSnapshot catalog)
    {
        (string Of, string Name, QuotaStanding Standing)[] all =
        [
            .. catalog.Providers.Values.Select(provider => ("provider", provider.Name, Standing: quotas.StandingOf(provider)))
                .Concat(catalog.Deployments.Values.Select(deployment => ("deployment", deployment.Name, Standing: quotas.StandingOf(deployment))))
                .Where(static one => one.Standing is not null).OrderBy(static one => one.Name, StringComparer.Ordinal).Select(static one => (one.Item1, one.Name, one.Standing!)),
        ];
        if (all.Length == 0)
        {
            return;
        }

        Family("requests", "gauge", "Requests that count against a hard quota now: of the last minute, and those that run.", static one => one.Limits.RequestsPerMinute is null ? null : one.Requests);
        Family("requests_limit", "gauge", "This gateway's part of the quota, in requests a minute.", static one => one.Limits.RequestsPerMinute);
        Family("tokens", "gauge", "Tokens that count against a hard quota now; of what runs, the most that it may take.", static one => one.Limits.TokensPerMinute is null ? null : one.Tokens);
        Family("tokens_limit", "gauge", "This gateway's part of the quota, in tokens a minute.", static one => one.Limits.TokensPerMinute);
        Family("turned_away_total", "counter", "Requests for which it was passed over because its quota was used up.", static one => one.TurnedAway);

        void Family(string name, string type, string help, Func<QuotaStanding, long?> value)
        {
            MetricsText.Head(text, $"ballast_quota_{name}", type, help);
            foreach ((string of, string subject, QuotaStanding standing) in all)
            {
                if (value(standing) is { } known)
                {
                    text.Append(CultureInfo.InvariantCulture, $"ballast_quota_{name}{{{of}=\"{MetricsText.Escape(subject)}\"}} {known}\n");
                }
            }
        }
    }
}
