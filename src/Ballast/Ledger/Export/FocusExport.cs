using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ballast.Ledger.Export;

/// <summary>
/// Charges in the columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification), as CSV: what an attempt cost for its input, and for its output. Costs are what Ballast
/// worked out from its prices, before any invoice. Attempts that cost nothing have no charge; those whose cost is not known have none either, since the columns of costs
/// take no nulls.
/// </summary>
internal sealed class FocusExport : ILedgerExport
{
    private const string Usd = "USD";
    private const string Tokens = "Tokens";

    private static readonly (string Name, Action<CsvWriter, Charge> Write)[] s_columns =
    [
        ("BilledCost", static (csv, charge) => csv.Number(charge.Cost)),
        ("BillingAccountId", static (csv, charge) => csv.Text(charge.Provider)),
        ("BillingAccountName", static (csv, charge) => csv.Text(charge.Provider)),
        ("BillingAccountType", static (csv, _) => csv.Text("Provider")),
        ("BillingCurrency", static (csv, _) => csv.Text(Usd)),
        ("BillingPeriodEnd", static (csv, charge) => csv.Second(charge.Month.AddMonths(1))),
        ("BillingPeriodStart", static (csv, charge) => csv.Second(charge.Month)),
        ("ChargeCategory", static (csv, _) => csv.Text("Usage")),
        ("ChargeClass", static (csv, _) => csv.Null()),
        ("ChargeDescription", static (csv, charge) => csv.Text($"{charge.Meter} of {charge.Row.SentModel}{(charge.Row.IsEstimated ? ", estimated" : "")}")),
        ("ChargeFrequency", static (csv, _) => csv.Text("Usage-Based")),
        ("ChargePeriodEnd", static (csv, charge) => csv.Second(charge.Hour.AddHours(1))),
        ("ChargePeriodStart", static (csv, charge) => csv.Second(charge.Hour)),
        ("CommitmentDiscountCategory", static (csv, _) => csv.Null()),
        ("CommitmentDiscountId", static (csv, _) => csv.Null()),
        ("CommitmentDiscountName", static (csv, _) => csv.Null()),
        ("CommitmentDiscountQuantity", static (csv, _) => csv.Null()),
        ("CommitmentDiscountStatus", static (csv, _) => csv.Null()),
        ("CommitmentDiscountType", static (csv, _) => csv.Null()),
        ("CommitmentDiscountUnit", static (csv, _) => csv.Null()),
        ("ConsumedQuantity", static (csv, charge) => csv.Number(charge.Quantity)),
        ("ConsumedUnit", static (csv, charge) => csv.Text(charge.Unit)),
        ("ContractedCost", static (csv, charge) => csv.Number(charge.Cost)),
        ("ContractedUnitPrice", static (csv, charge) => csv.Number(charge.UnitPrice)),
        ("EffectiveCost", static (csv, charge) => csv.Number(charge.Cost)),
        ("InvoiceId", static (csv, _) => csv.Null()),
        ("InvoiceIssuerName", static (csv, charge) => csv.Text(charge.Row.Platform)),
        ("ListCost", static (csv, charge) => csv.Number(charge.Cost)),
        ("ListUnitPrice", static (csv, charge) => csv.Number(charge.UnitPrice)),
        ("PricingCategory", static (csv, _) => csv.Text("Standard")),
        ("PricingCurrency", static (csv, _) => csv.Text(Usd)),
        ("PricingQuantity", static (csv, charge) => csv.Number(charge.Quantity)),
        ("PricingUnit", static (csv, charge) => csv.Text(charge.Unit)),
        ("ProviderName", static (csv, charge) => csv.Text(charge.Row.Platform)),
        ("PublisherName", static (csv, charge) => csv.Text(charge.Row.Vendor)),
        ("RegionId", static (csv, charge) => csv.Text(charge.Row.Region)),
        ("RegionName", static (csv, charge) => csv.Text(charge.Row.Region)),
        ("ResourceId", static (csv, charge) => csv.Text(charge.Row.Deployment)),
        ("ResourceName", static (csv, charge) => csv.Text(charge.Row.SentModel)),
        ("ResourceType", static (csv, _) => csv.Text("Model deployment")),
        ("ServiceCategory", static (csv, _) => csv.Text("AI and Machine Learning")),
        ("ServiceName", static (csv, charge) => csv.Text(charge.Row.Platform + " models")),
        ("ServiceSubcategory", static (csv, _) => csv.Text("Generative AI")),
        ("SkuId", static (csv, charge) => csv.Text($"{charge.Row.Platform}/{charge.Row.SentModel}")),
        ("SkuMeter", static (csv, charge) => csv.Text(charge.Meter)),
        ("SkuPriceDetails", static (csv, _) => csv.Null()),
        ("SkuPriceId", static (csv, charge) => csv.Text($"{charge.Row.Platform}/{charge.Row.SentModel}/{charge.Meter}")),
        ("SubAccountId", static (csv, charge) => csv.Text(charge.Row.App)),
        ("SubAccountName", static (csv, charge) => csv.Text(charge.Row.App)),
        ("SubAccountType", static (csv, _) => csv.Text("App")),
        ("Tags", static (csv, charge) => csv.Text(TagsOf(charge.Row))),
        ("x_AttemptId", static (csv, charge) => csv.Text(charge.Row.AttemptId)),
        ("x_IsEstimated", static (csv, charge) => csv.Flag(charge.Row.IsEstimated)),
        ("x_Operation", static (csv, charge) => csv.Text(charge.Row.Operation)),
        ("x_RequestedModel", static (csv, charge) => csv.Text(charge.Row.RequestedModel)),
        ("x_UpstreamRequestId", static (csv, charge) => csv.Text(charge.Row.UpstreamRequestId)),
    ];

    public void WriteHeader(CsvWriter csv) => csv.Header(s_columns.Select(static column => column.Name));

    public bool Write(CsvWriter csv, LedgerEntry row)
    {
        if (row.CostUsd is not { } cost)
        {
            return row.Outcome == AttemptOutcome.Failed && InputOf(row) + row.OutputTokens == 0; // nothing was charged, or nobody knows what
        }

        if (row.InputCostUsd is not { } input || InputOf(row) + row.OutputTokens == 0 || (row.OutputTokens == 0 && cost > input) || (InputOf(row) == 0 && input > 0))
        {
            // Charged by the request, or not told apart.
            Write(csv, new Charge(row, "Request", 1, "Requests", cost));
            return true;
        }

        Write(csv, new Charge(row, "Input tokens", InputOf(row), Tokens, input));
        Write(csv, new Charge(row, "Output tokens", row.OutputTokens, Tokens, cost - input));
        return true;
    }

    private static void Write(CsvWriter csv, Charge charge)
    {
        if (charge.Cost == 0)
        {
            return;
        }

        foreach ((_, Action<CsvWriter, Charge> write) in s_columns)
        {
            write(csv, charge);
        }

        csv.EndLine();
    }

    private static long InputOf(LedgerEntry row) => row.InputTokens + row.CacheReadTokens + row.CacheWriteTokens + row.CacheWriteLongTokens;

    private static string TagsOf(LedgerEntry row)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes))
        {
            json.WriteStartObject();
            json.WriteString("key", row.KeyId);
            if (row.Organisation is { } organisation)
            {
                json.WriteString("organisation", organisation);
            }

            if (row.Team is { } team)
            {
                json.WriteString("team", team);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>One charge of an attempt.</summary>
    private sealed record Charge(LedgerEntry Row, string Meter, long Quantity, string Unit, decimal Cost)
    {
        /// <summary>Where tokens of several prices (cached and not) are charged together, the price between them.</summary>
        public decimal UnitPrice => decimal.Round(Cost / Quantity, 18, MidpointRounding.ToEven);

        /// <summary>Whose account it is: the provider's name in the configuration.</summary>
        public string Provider => Row.Deployment.Split('/')[0];

        public DateTimeOffset Hour => new(Row.StartedAt.UtcDateTime.Date.AddHours(Row.StartedAt.UtcDateTime.Hour), TimeSpan.Zero);

        public DateTimeOffset Month => new(Row.StartedAt.UtcDateTime.Year, Row.StartedAt.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);
    }
}
