using System.Text.Json;

namespace Ballast.Ledger;

/// <summary>Commitments as JSON: the same from the command line and from administration.</summary>
public static class CommitmentJson
{
    public static void Write(Utf8JsonWriter writer, IReadOnlyList<CommitmentFigures> all, DateTimeOffset now)
    {
        writer.WriteStartObject();
        writer.WriteString("at", now.UtcDateTime);
        writer.WriteStartArray("commitments");
        foreach (CommitmentFigures one in all)
        {
            writer.WriteStartObject();
            writer.WriteString("id", one.Commitment.Id);
            writer.WriteString("platform", one.Commitment.Platform);
            writer.WriteString("currency", one.Commitment.Currency);
            writer.WriteNumber("amount", one.Commitment.Amount);
            writer.WriteString("from", one.From.UtcDateTime);
            writer.WriteString("until", one.Until.UtcDateTime);
            writer.WriteString("zone", one.Commitment.Zone);
            writer.WriteString("state", one.State);
            writer.WriteNumber("elapsed", Math.Round(one.Elapsed, 6));
            writer.WriteNumber("used", one.Used);
            writer.WriteNumber("remaining", one.Remaining);
            Optional(writer, "pace", one.Pace);
            Optional(writer, "forecast", one.Forecast);
            Optional(writer, "shortfall", one.Shortfall);
            Optional(writer, "excess", one.Excess);
            writer.WriteNumber("unknown_cost", one.UnknownCost);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter writer, string name, decimal? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
