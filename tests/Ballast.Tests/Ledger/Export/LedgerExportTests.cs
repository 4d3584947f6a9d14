using System.Globalization;
using System.Text;
using Ballast.Ledger;
using Ballast.Ledger.Export;

namespace Ballast.Tests.Ledger.Export;

public sealed class LedgerExportTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The columns that FOCUS 1.2 requires of every dataset of charges.</summary>
    private static readonly string[] s_mandatory =
    [
        "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
        "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
        "ServiceCategory", "ServiceName",
    ];

    [Fact]
    public async Task WriteAsync_Csv_HasEveryRowOnceOverManyPages()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            // Many at the same moment: pages end between them.
            [.. Enumerable.Range(0, (2 * LedgerExport.PageRows) + 7).Select(index => SampleEntries.Completed($"a{index:D5}") with { StartedAt = SampleEntries.Start.AddSeconds(index / 900) })]);

        (IReadOnlyList<Dictionary<string, string>> lines, (long Rows, long LeftOut) told) = await ExportAsync(ledger, "csv", LedgerFilter.Everything);

        Assert.Equal(((2L * LedgerExport.PageRows) + 7, 0L), told);
        Assert.Equal(Enumerable.Range(0, (2 * LedgerExport.PageRows) + 7).Select(static index => $"a{index:D5}"), lines.Select(static line => line["attempt_id"]));
        Assert.Equal("0.0005", lines[0]["cost_usd"]);
        Assert.Equal("2026-11-20T12:00:00.000000Z", lines[0]["started_at"]);
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+a", "'+a")]
    [InlineData("-a", "'-a")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("\r\n=1", "'\r\n=1")]
    [InlineData("a,\"b\"\nc", "a,\"b\"\nc")]
    [InlineData("plain=1", "plain=1")]
    public async Task WriteAsync_TextThatIsAFormula_IsTextForASpreadsheet(string name, string expected)
    {
        foreach (string format in LedgerExport.Formats)
        {
            await using TestLedger ledger = await TestLedger.WithAsync(SampleEntries.Completed("a1") with { App = name, CostUsd = 1, InputCostUsd = 0.25m });

            (IReadOnlyList<Dictionary<string, string>> lines, _) = await ExportAsync(ledger, format, LedgerFilter.Everything);

            Assert.Equal(expected, lines[0][format == "csv" ? "app" : "SubAccountId"]);
        }
    }

    [Fact]
    public async Task WriteAsync_Focus_HasTheColumnsAndTheirRules()
    {
        await using TestLedger ledger = await TestLedger.WithAsync(
            SampleEntries.Completed("a1", "aws", "anthropic") with { StartedAt = new DateTimeOffset(2026, 12, 31, 23, 59, 59, TimeSpan.Zero), Team = "research" },
            SampleEntries.Completed("a2") with { CostUsd = null, InputCostUsd = null },
            SampleEntries.Failed("a3"),
            SampleEntries.Completed("a4") with { CostUsd = 0.02m, InputCostUsd = null },
            SampleEntries.Completed("a5") with { CostUsd = 0, InputCostUsd = 0 });

        (IReadOnlyList<Dictionary<string, string>> lines, (long Rows, long LeftOut) told) = await ExportAsync(ledger, "focus", LedgerFilter.Everything);

        Assert.Equal((5L, 1L), told);
        Assert.Empty(s_mandatory.Except(lines[0].Keys));
        Assert.Equal(["a4", "a1", "a1"], lines.Select(static line => line["x_AttemptId"]));
        foreach (Dictionary<string, string> line in lines)
        {
            Assert.Equal(("USD", "Usage", "", "AI and Machine Learning", "Generative AI"), (line["BillingCurrency"], line["ChargeCategory"], line["ChargeClass"], line["ServiceCategory"], line["ServiceSubcategory"]));
            Assert.Equal(line["BilledCost"], line["EffectiveCost"]);
            Assert.All(s_mandatory.Except(["ChargeClass"]), column => Assert.NotEqual("", line[column]));
            decimal cost = Number(line["ListUnitPrice"]) * Number(line["PricingQuantity"]);
            Assert.Equal(Number(line["ListCost"]), Math.Round(cost, 12));
        }

        Dictionary<string, string> input = lines[1];
        Assert.Equal(("127", "Tokens", "0.0002", "Input tokens"), (input["PricingQuantity"], input["PricingUnit"], input["BilledCost"], input["SkuMeter"]));
        Assert.Equal(("51", "0.0003", "Output tokens"), (lines[2]["ConsumedQuantity"], lines[2]["BilledCost"], lines[2]["SkuMeter"]));
        Assert.Equal(("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"), (input["BillingPeriodStart"], input["BillingPeriodEnd"]));
        Assert.Equal(("2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"), (input["ChargePeriodStart"], input["ChargePeriodEnd"]));
        Assert.Equal(("aws", "anthropic", "aws", "support"), (input["ProviderName"], input["PublisherName"], input["BillingAccountId"], input["SubAccountId"]));
        Assert.Equal("""{"key":"demo","team":"research"}""", input["Tags"]);
        Assert.Equal(("1", "Requests"), (lines[0]["PricingQuantity"], lines[0]["PricingUnit"]));
    }

    /// <summary>Charges add up to what the rows cost, to the last picodollar.</summary>
    [Fact]
    public async Task WriteAsync_Focus_AddsUpToTheLedger()
    {
        Random dice = new(4);
        LedgerEntry[] rows =
        [
            .. Enumerable.Range(0, 500).Select(index =>
            {
                long pico = dice.NextInt64(0, 1_000_000_000_000);
                return SampleEntries.Completed($"a{index}") with
                {
                    CostUsd = Picodollars.ToDollars(pico),
                    InputCostUsd = dice.Next(4) == 0 ? null : Picodollars.ToDollars(dice.NextInt64(0, pico + 1)),
                    OutputTokens = dice.Next(3) == 0 ? 0 : dice.Next(1000),
                    InputTokens = dice.Next(1000),
                    CacheReadTokens = 0, CacheWriteTokens = 0, CacheWriteLongTokens = 0,
                };
            }),
        ];
        await using TestLedger ledger = await TestLedger.WithAsync(rows);

        (IReadOnlyList<Dictionary<string, string>> lines, _) = await ExportAsync(ledger, "focus", LedgerFilter.Everything);

        Assert.Equal(rows.Sum(static row => row.CostUsd!.Value), lines.Sum(static line => Number(line["BilledCost"])));
    }

    private static decimal Number(string text) => decimal.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);

    private static async Task<(IReadOnlyList<Dictionary<string, string>> Lines, (long Rows, long LeftOut) Told)> ExportAsync(TestLedger ledger, string format, LedgerFilter filter)
    {
        using MemoryStream output = new();
        (long Rows, long LeftOut) told = await LedgerExport.WriteAsync(ledger.Reader, format, filter, output, Cancellation);
        List<string[]> records = Parse(Encoding.UTF8.GetString(output.ToArray()));
        return ([.. records.Skip(1).Select(record => records[0].Zip(record).ToDictionary(static pair => pair.First, static pair => pair.Second))], told);
    }

    /// <summary>RFC 4180, strictly: every record has as many fields as the first and ends with CRLF.</summary>
    private static List<string[]> Parse(string text)
    {
        List<string[]> records = [];
        List<string> fields = [];
        int at = 0;
        while (at < text.Length)
        {
            StringBuilder field = new();
            if (text[at] == '"')
            {
                for (at++; text[at] != '"' || (at + 1 < text.Length && text[at + 1] == '"'); at++)
                {
                    field.Append(text[at]);
                    at += text[at] == '"' ? 1 : 0;
                }

                at++;
            }
            else
            {
                for (; text[at] is not (',' or '\r'); at++)
                {
                    Assert.NotEqual('"', text[at]);
                    field.Append(text[at]);
                }
            }

            fields.Add(field.ToString());
            if (text[at] == ',')
            {
                at++;
                continue;
            }

            Assert.Equal("\r\n", text.Substring(at, 2));
            at += 2;
            records.Add([.. fields]);
            Assert.Equal(records[0].Length, fields.Count);
            fields.Clear();
        }

        return records;
    }
}
