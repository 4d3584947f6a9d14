using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Generation;

/// <summary>Writes the answer to a prompt: the same seed and the same prompt give the same answer.</summary>
internal sealed class Author(int seed)
{
    /// <summary>A prompt that holds these words is refused in the vendor's own way.</summary>
    public const string RefusalWords = "refuse this";

    private const string RefusalText = "I'm sorry, but I can't help with that request.";

    private static readonly JsonDocument EmptyObjectSchema = JsonDocument.Parse("""{"type":"object","properties":{}}""");

    public static bool IsRefused(Prompt prompt) => prompt.LastUserText.Contains(RefusalWords, StringComparison.OrdinalIgnoreCase);

    /// <param name="prompt">What is asked.</param>
    /// <param name="style">How this vendor names calls and refuses.</param>
    /// <param name="choice">Which of the answers, where several are asked for.</param>
    public Answer Write(Prompt prompt, AnswerStyle style, int choice = 0)
    {
        Dice dice = new(seed, prompt.Platform, prompt.Model, prompt.Fingerprint, choice == 0 ? null : "choice " + (char)('0' + choice));
        PromptWords words = new(prompt.LastUserText);
        if (IsRefused(prompt))
        {
            PieceKind kind = style.RefusesInText ? PieceKind.Text : PieceKind.Refusal;
            AnswerEnd end = style.RefusesInText ? AnswerEnd.Natural : AnswerEnd.Refusal;
            return Limit([.. Cut(kind, RefusalText)], [], end, null, prompt.MaxTokens);
        }

        List<ToolCall> calls = WriteCalls(prompt, style, words, ref dice);
        List<Piece> pieces = [];
        if (prompt.ThinkingTokens > 0)
        {
            pieces.AddRange(Cut(PieceKind.Thinking, Wording.Thought(words, calls.Count > 0, ref dice)));
        }

        string? stop = null;
        if (calls.Count == 0)
        {
            string text = BeforeStop(WriteText(prompt, words, ref dice), prompt.Stops, out stop);
            pieces.AddRange(Cut(PieceKind.Text, text));
        }

        for (int i = 0; i < calls.Count; i++)
        {
            pieces.Add(new Piece(PieceKind.CallStart, "", Tokens.Count(calls[i].Name) + AnswerStyle.CallTokens, i));
            pieces.AddRange(Cut(PieceKind.CallArguments, calls[i].Arguments, i));
        }

        AnswerEnd natural = calls.Count > 0 ? AnswerEnd.ToolCalls : stop is null ? AnswerEnd.Natural : AnswerEnd.StopSequence;
        return Limit(pieces, calls, natural, stop, prompt.MaxTokens);
    }

    private static string WriteText(Prompt prompt, PromptWords words, ref Dice dice)
    {
        if (prompt.AnswerIsJson)
        {
            return JsonAnswer.Write(prompt, words, ref dice);
        }

        IReadOnlyList<ToolResult> results = prompt.FreshResults;
        if (results.Count > 0)
        {
            return string.Join('\n', results.Select(Quote));
        }

        if (Instructions.Obey(prompt) is { } obeyed)
        {
            return obeyed;
        }

        string prose = Wording.Prose(words, ref dice);
        IReadOnlyList<PromptImage> images = prompt.LastUserTurn?.Images ?? [];
        return images.Count == 0 ? prose : $"I can see {string.Join(" and ", images.Take(4).Select(image => image.Description))}. {prose}";
    }

    private static string Quote(ToolResult result)
    {
        const int Quoted = 600;
        string text = result.Text.Length > Quoted ? result.Text[..Quoted] + "…" : result.Text;
        return text.Trim().Length == 0 ? $"{result.ToolName} finished without a result." : $"According to {result.ToolName}: {text.Trim()}";
    }

    private static List<ToolCall> WriteCalls(Prompt prompt, AnswerStyle style, PromptWords words, ref Dice dice)
    {
        List<ToolCall> calls = [];
        foreach ((ToolSpec tool, string? subject) in ToolChooser.Choose(prompt, words))
        {
            JsonElement schema = tool.Parameters is { ValueKind: JsonValueKind.Object } given ? given : EmptyObjectSchema.RootElement;
            PlausibleValues plausible = new(words, subject, new Dice(0, dice.NextHex(16)));
            string arguments = tool.FreeText
                ? FreeText(tool, plausible)
                : (new SchemaValues(schema, plausible).Make() as JsonObject ?? []).ToJsonString(RelaxedJson.Options);
            calls.Add(new ToolCall(style.NewCallId(ref dice), tool.Name, arguments, tool.FreeText) { Group = tool.Group });
        }

        return calls;
    }

    private static string FreeText(ToolSpec tool, PlausibleValues plausible) => tool.Pattern is null
        ? plausible.Text("text", tool.Description, 0, int.MaxValue)
        : plausible.Matching($"^(?:{tool.Pattern})$", "text", tool.Description, 0, int.MaxValue);

    private static IEnumerable<Piece> Cut(PieceKind kind, string text, int call = 0) =>
        Tokens.Split(text).Select(part => new Piece(kind, part.Text, part.Tokens, call));

    private static string BeforeStop(string text, IReadOnlyList<string> stops, out string? stop)
    {
        stop = null;
        int first = text.Length;
        foreach (string candidate in stops)
        {
            int at = text.IndexOf(candidate, StringComparison.Ordinal);
            if (at >= 0 && at < first)
            {
                first = at;
                stop = candidate;
            }
        }

        return text[..first];
    }

    private static Answer Limit(List<Piece> pieces, List<ToolCall> calls, AnswerEnd end, string? stop, long? maxTokens)
    {
        long left = maxTokens ?? long.MaxValue;
        int kept = 0;
        while (kept < pieces.Count && pieces[kept].Tokens <= left)
        {
            left -= pieces[kept].Tokens;
            kept++;
        }

        if (kept == pieces.Count)
        {
            return new Answer { Pieces = pieces, Calls = calls, End = end, StopSequence = stop };
        }

        List<Piece> shortened = pieces[..kept];
        return new Answer { Pieces = shortened, Calls = Shorten(calls, shortened), End = AnswerEnd.MaxTokens };
    }

    /// <summary>The calls as far as they came: the last may have arguments that break off.</summary>
    private static List<ToolCall> Shorten(List<ToolCall> calls, List<Piece> pieces)
    {
        List<ToolCall> begun = [];
        for (int i = 0; i < calls.Count && pieces.Exists(piece => piece.Kind == PieceKind.CallStart && piece.Call == i); i++)
        {
            int index = i;
            string arguments = string.Concat(
                pieces.Where(piece => piece.Kind == PieceKind.CallArguments && piece.Call == index).Select(piece => piece.Text));
            begun.Add(calls[i] with { Arguments = arguments });
        }

        return begun;
    }
}
