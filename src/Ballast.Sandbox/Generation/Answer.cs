namespace Ballast.Sandbox.Generation;

/// <summary>A finished answer as the pieces in which a stream gives it; joined, they are the whole answer.</summary>
internal sealed record Answer
{
    public required IReadOnlyList<Piece> Pieces { get; init; }
    public required IReadOnlyList<ToolCall> Calls { get; init; }
    public required AnswerEnd End { get; init; }

    /// <summary>The stop sequence that ended the answer.</summary>
    public string? StopSequence { get; init; }

    public string Text => Join(PieceKind.Text);

    public string Thinking => Join(PieceKind.Thinking);

    public string Refusal => Join(PieceKind.Refusal);

    public long OutputTokens => Pieces.Sum(piece => (long)piece.Tokens);

    public long ThinkingTokens => Pieces.Where(piece => piece.Kind == PieceKind.Thinking).Sum(piece => (long)piece.Tokens);

    private string Join(PieceKind kind) => string.Concat(Pieces.Where(piece => piece.Kind == kind).Select(piece => piece.Text));
}

/// <summary>One token or a few, all of one kind.</summary>
/// <param name="Kind">Of what it is a part.</param>
/// <param name="Text">Its text; a call's start has none.</param>
/// <param name="Tokens">What it costs.</param>
/// <param name="Call">The index of the call that it belongs to.</param>
internal readonly record struct Piece(PieceKind Kind, string Text, int Tokens, int Call = 0);

/// <summary>Of what a <see cref="Piece"/> is a part.</summary>
internal enum PieceKind
{
    Thinking,
    Text,
    Refusal,
    CallStart,
    CallArguments,
}

/// <summary>Why an answer ended.</summary>
internal enum AnswerEnd
{
    Natural,
    StopSequence,
    MaxTokens,
    ToolCalls,
    Refusal,
}
