using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>An answer as it was said, up to a limit: for spans of apps that want it there.</summary>
/// <param name="bytesMax">What is beyond is left out.</param>
public sealed class AnswerText(int bytesMax)
{
    private readonly List<Piece> _pieces = [];
    private int _left = bytesMax;

    /// <summary>A part of the answer that was cut off, or more of them, is missing.</summary>
    public bool IsCut { get; private set; }

    public IReadOnlyList<Piece> Pieces => _pieces;

    public void Add(ChatEvent said)
    {
        switch (said)
        {
            case TextDelta text:
                Append(text.Part, "text", text.Text);
                break;
            case RefusalDelta refusal:
                Append(refusal.Part, "text", refusal.Text);
                break;
            case ThinkingDelta thinking:
                Append(thinking.Part, "reasoning", thinking.Text);
                break;
            case ToolCallStarted call:
                Piece piece = PieceOf(call.Part, "tool_call");
                piece.Id = call.Id;
                piece.Name = call.Name;
                break;
            case ToolCallDelta call:
                Append(call.Part, "tool_call", call.Arguments);
                break;
            default:
                break;
        }
    }

    private void Append(int part, string type, string text)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > _left)
        {
            // Whole pieces only: half a character would be none.
            IsCut = true;
            _left = 0;
            return;
        }

        _left -= bytes;
        PieceOf(part, type).Text.Append(text);
    }

    private Piece PieceOf(int part, string type)
    {
        for (int i = _pieces.Count - 1; i >= 0; i--)
        {
            if (_pieces[i].Part == part && _pieces[i].Type == type)
            {
                return _pieces[i];
            }
        }

        Piece piece = new(part, type);
        _pieces.Add(piece);
        return piece;
    }

    /// <summary>One part of the answer.</summary>
    /// <param name="part">Its number.</param>
    /// <param name="type"><c>text</c>, <c>reasoning</c> or <c>tool_call</c>.</param>
    public sealed class Piece(int part, string type)
    {
        public int Part { get; } = part;
        public string Type { get; } = type;
        public string? Id { get; internal set; }
        public string? Name { get; internal set; }
        public StringBuilder Text { get; } = new();
    }
}
