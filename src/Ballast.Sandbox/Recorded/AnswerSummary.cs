using System.Text.Json;
using Ballast.Sandbox.Recorded;

namespace Ballast.Sandbox;

/// <summary>What a recorded answer said, for comparison with what a vendor's client makes of its translation.</summary>
public sealed record AnswerSummary(bool IsWhole, string Text, IReadOnlyList<string> Calls)
{
    public static AnswerSummary Of(RecordedExchange exchange)
    {
        AnswerFacts facts = AnswerFacts.Read(exchange.Api, exchange.Framing, exchange.Answer);
        return new AnswerSummary(exchange.Status < 400 && facts.IsComplete, facts.Text.ToString(), [.. facts.Calls.Select(call => call.Name)]);
    }

    /// <summary>Writes the fields <c>whole</c>, <c>text</c> and <c>calls</c>.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteBoolean("whole", IsWhole);
        json.WriteString("text", Text);
        json.WriteStartArray("calls");
        foreach (string call in Calls)
        {
            json.WriteStringValue(call);
        }

        json.WriteEndArray();
    }
}
