using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ballast.Ledger;

/// <summary>The words of the ledger: enum names as they stand in the file, losses as a JSON array.</summary>
internal static class LedgerText
{
    public static string OutcomeName(AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Completed => "completed",
        AttemptOutcome.Failed => "failed",
        AttemptOutcome.Interrupted => "interrupted",
        AttemptOutcome.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    public static AttemptOutcome ParseOutcome(string name) => name switch
    {
        "completed" => AttemptOutcome.Completed,
        "failed" => AttemptOutcome.Failed,
        "interrupted" => AttemptOutcome.Interrupted,
        "cancelled" => AttemptOutcome.Cancelled,
        _ => throw new LedgerException($"The ledger holds an outcome unknown to this Ballast: {name}"),
    };

    public static string? WriteLosses(IReadOnlyList<string> losses)
    {
        if (losses.Count == 0)
        {
            return null;
        }

        ArrayBufferWriter<byte> buffer = new(256);
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartArray();
            foreach (string loss in losses)
            {
                writer.WriteStringValue(loss);
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static IReadOnlyList<string> ReadLosses(string? json)
    {
        if (json is null)
        {
            return [];
        }

        using JsonDocument document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(loss => loss.GetString() ?? "")];
    }
}
