using System.Text;

namespace Ballast.Guards.Redaction;

/// <summary>One text of a streamed answer. What it is, is told by its first character that is more than blank: until then it waits.</summary>
/// <param name="open">Makes its screen, from how it begins.</param>
internal sealed class StreamedText(Func<string, TextScreen> open)
{
    private readonly StringBuilder _output = new();
    private string _blank = "";
    private TextScreen? _screen;

    /// <summary>What may go on now that this piece has come.</summary>
    public string Push(string piece)
    {
        if (_screen is null)
        {
            piece = _blank + piece;
            if (string.IsNullOrWhiteSpace(piece) && piece.Length <= TextWindow.MatchCharactersMax)
            {
                _blank = piece;
                return "";
            }

            _screen = open(piece);
        }

        _output.Clear();
        _screen.Push(piece, _output);
        return _output.ToString();
    }

    /// <summary>What has waited: the text is complete.</summary>
    public string End()
    {
        _output.Clear();
        if (_screen is null && _blank.Length > 0)
        {
            _screen = open(_blank);
            _screen.Push(_blank, _output);
        }

        _screen?.End(_output);
        return _output.ToString();
    }
}
