using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Replay;

/// <summary>Counts of one provider's interface, or of all.</summary>
internal sealed class ReplayCounts
{
    private readonly int[] _counts = new int[Enum.GetValues<ReplayVerdict>().Length];

    public int All => _counts.Sum();

    public int Of(ReplayVerdict verdict) => _counts[(int)verdict];

    public void Add(ReplayVerdict verdict) => _counts[(int)verdict]++;
}

/// <summary>What became of all exchanges: each is in exactly one column.</summary>
internal sealed class ReplayTally
{
    private readonly SortedDictionary<(string Provider, string Api), ReplayCounts> _by = [];

    public ReplayCounts All { get; } = new();

    public List<ReplayResult> Failed { get; } = [];

    public void Add(ReplayResult result)
    {
        All.Add(result.Verdict);
        if (!_by.TryGetValue((result.Provider, result.Api), out ReplayCounts? counts))
        {
            _by[(result.Provider, result.Api)] = counts = new ReplayCounts();
        }

        counts.Add(result.Verdict);
        if (result.Verdict == ReplayVerdict.Failed)
        {
            Failed.Add(result);
        }
    }

    public ReportTable ToTable()
    {
        ReportTable table = new("Recorded exchanges through the gateway");
        table.AddTextColumn("provider");
        table.AddTextColumn("api");
        foreach (string header in (ReadOnlySpan<string>)["exchanges", "passed", "declared loss", "response only", "opaque", "failed"])
        {
            table.AddNumberColumn(header);
        }

        foreach (((string provider, string api), ReplayCounts counts) in _by)
        {
            table.AddRow([provider, api, .. Cells(counts)]);
        }

        table.AddRow(["all", "", .. Cells(All)]);
        return table;
    }

    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            Write(json, All);
            json.WriteStartArray("by");
            foreach (((string provider, string api), ReplayCounts counts) in _by)
            {
                json.WriteStartObject();
                json.WriteString("provider", provider);
                json.WriteString("api", api);
                Write(json, counts);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            WriteFailures(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static IEnumerable<string> Cells(ReplayCounts counts) =>
        new[] { counts.All, counts.Of(ReplayVerdict.Passed), counts.Of(ReplayVerdict.DeclaredLoss), counts.Of(ReplayVerdict.ResponseOnly), counts.Of(ReplayVerdict.Opaque), counts.Of(ReplayVerdict.Failed) }
            .Select(count => ReportFormat.Count(count));

    private static void Write(Utf8JsonWriter json, ReplayCounts counts)
    {
        json.WriteNumber("exchanges", counts.All);
        json.WriteNumber("passed", counts.Of(ReplayVerdict.Passed));
        json.WriteNumber("declared_loss", counts.Of(ReplayVerdict.DeclaredLoss));
        json.WriteNumber("response_only", counts.Of(ReplayVerdict.ResponseOnly));
        json.WriteNumber("opaque", counts.Of(ReplayVerdict.Opaque));
        json.WriteNumber("failed", counts.Of(ReplayVerdict.Failed));
    }

    private void WriteFailures(Utf8JsonWriter json)
    {
        json.WriteStartArray("failures");
        foreach (ReplayResult result in Failed)
        {
            foreach (ReplayFailure failure in result.Failures)
            {
                json.WriteStartObject();
                json.WriteString("id", result.Id);
                json.WriteString("where", failure.Where);
                json.WriteString("pointer", failure.Pointer);
                json.WriteString("what", failure.What);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }
}
