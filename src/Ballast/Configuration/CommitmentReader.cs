namespace Ballast.Configuration;

/// <summary>Reads <c>commitments:</c>.</summary>
internal static class CommitmentReader
{
    private const decimal AmountMax = 1_000_000_000_000;

    public static IReadOnlyList<CommitmentOptions> Read(SectionReader file)
    {
        List<CommitmentOptions> commitments = [];
        foreach ((string id, SectionReader section) in file.NamedSections("commitments", "commitment", ConfiguredName.IsWord, ConfiguredName.WordRule))
        {
            string? platform = section.Word("platform");
            decimal? amount = section.Number("amount", 0.01m, AmountMax);
            string currency = section.Text("currency") ?? "USD";
            decimal? rate = section.Number("usd_rate", 0, 1_000_000);
            DateOnly? from = section.Day("from");
            DateOnly? to = section.Day("to");
            string zone = section.Text("zone") ?? "UTC";
            section.End();
            Require(section, platform is not null, "platform", "platform: aws");
            Require(section, amount is not null, "amount", "amount: 120000");
            Require(section, from is not null, "from", "from: 2026-01-01, the first day");
            Require(section, to is not null, "to", "to: 2026-12-31, the last day");
            if (currency.Length != 3 || currency.AsSpan().ContainsAnyExceptInRange('A', 'Z'))
            {
                section.Error("currency", $"'{currency}' is no currency", "three letters of ISO 4217, such as USD or EUR");
            }
            else if (currency != "USD" && rate is not > 0)
            {
                section.Error("currency", $"the ledger counts in US dollars: how many are one {currency}?", "usd_rate: 1.08");
            }

            if (to < from)
            {
                section.Error("to", "the last day lies before the first", "to: 2026-12-31");
            }

            if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
            {
                section.Error("zone", $"'{zone}' is no time zone", "a name such as Europe/Berlin");
            }

            if (platform is not null && amount is not null && from is { } first && to is { } last)
            {
                commitments.Add(new CommitmentOptions
                {
                    Id = id, Platform = platform, Amount = amount.Value, Currency = currency, UsdRate = rate is > 0 ? rate.Value : 1, From = first, To = last, Zone = zone,
                });
            }
        }

        return commitments;
    }

    private static void Require(SectionReader section, bool isThere, string key, string hint)
    {
        if (!isThere)
        {
            section.Require(key, hint);
        }
    }
}
