using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>What an answer says, whichever protocol said it.</summary>
internal sealed class Answer
{
    public string Id { get; set; } = "";
    public StringBuilder Text { get; } = new();
    public List<AnsweredCall> Calls { get; } = [];
    public string Finish { get; set; } = "";

    /// <summary>A stream has said who speaks.</summary>
    public bool HasRole { get; set; }
    public long InputTokens { get; set; }
    public long OutputTokens { get; set; }

    /// <summary>Reasoning came, signed or not.</summary>
    public bool HasThinking { get; set; }

    /// <summary>The protocol's signed reasoning block as raw JSON, to be sent back; null where there is none.</summary>
    public string? Thinking { get; set; }

    /// <summary>Events in which text or arguments came.</summary>
    public int Pieces { get; set; }

    public Answer DemandText()
    {
        Expect.That(Text.Length > 0, "the answer holds no text");
        return this;
    }

    /// <summary>Demands a text that is an object with that one member, and nothing around it.</summary>
    public Answer DemandFit(string member)
    {
        using JsonDocument document = Json.Parse(Text.ToString(), "the structured answer");
        Expect.Text(document.RootElement, member, "the structured answer");
        Expect.That(document.RootElement.EnumerateObject().Count() == 1, "the structured answer has members that its schema forbids");
        return this;
    }

    /// <summary>Demands so many calls of that tool, with ids of their own and arguments that hold the required members.</summary>
    public Answer DemandCalls(int count, string tool, string argument)
    {
        Expect.That(Calls.Count == count, $"{Calls.Count} tool calls, expected {count}");
        Expect.That(Calls.Select(call => call.Id).Distinct(StringComparer.Ordinal).Count() == count, "two tool calls have the same id");
        foreach (AnsweredCall call in Calls)
        {
            Expect.That(call.Id.Length > 0, "a tool call has no id");
            Expect.That(call.Name == tool, $"a call of '{call.Name}', which was not offered");
            using JsonDocument arguments = Json.Parse(call.Arguments.ToString(), "a tool call's arguments");
            Expect.Field(arguments.RootElement, argument, JsonValueKind.String, "a tool call's arguments");
        }

        return this;
    }
}

/// <summary>A tool call of an answer.</summary>
internal sealed record AnsweredCall(string Id, string Name)
{
    public StringBuilder Arguments { get; } = new();
}
