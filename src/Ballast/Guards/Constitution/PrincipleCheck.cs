using System.Text;
using Ballast.Catalog;
using Ballast.Guards.Redaction;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards.Constitution;

/// <summary>Whether a text or a list of tools keeps to a principle, where no model is needed to tell.</summary>
public static class PrincipleCheck
{
    /// <summary>Longest text that a model is given to judge, in characters; of a longer one it sees the end.</summary>
    public const int JudgedCharactersMax = 100_000;

    /// <summary>False where the text breaks the principle. It is read as it is meant (<see cref="FoldTable"/>).</summary>
    public static bool Keeps(Principle principle, string text)
    {
        if (principle.Pattern is not { } pattern)
        {
            return true;
        }

        FoldedText folded = new();
        folded.Take(text);
        return !pattern.IsMatch(folded.Chars);
    }

    /// <summary>False where a tool is not among those that may be.</summary>
    public static bool Allows(Principle principle, string tool) => principle.Tools?.Contains(tool) ?? true;

    /// <summary>All that a request says, piece by piece.</summary>
    public static IEnumerable<string> TextsOf(ChatRequest request) => request.Messages.SelectMany(static message => message.Parts).SelectMany(TextsOf);

    /// <summary>The text that a judge is given, bounded.</summary>
    public static string Judged(IEnumerable<string> texts)
    {
        StringBuilder text = new();
        foreach (string piece in texts)
        {
            text.Append(piece).Append('\n');
        }

        return text.Length > JudgedCharactersMax ? text.ToString(text.Length - JudgedCharactersMax, JudgedCharactersMax) : text.ToString();
    }

    private static IEnumerable<string> TextsOf(Part part) => part switch
    {
        TextPart text => [text.Text],
        ToolResultPart result => result.Content.SelectMany(TextsOf),
        ToolCallPart call => [call.Arguments],
        DocumentPart { Text: { } document } => [document],
        OpaquePart { Text: { } opaque } => [opaque],
        _ => [],
    };
}
