using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ballast.Cli.Demo;

/// <summary>One line of a picture, never longer than its width: what does not fit is cut, so that nothing wraps and moves the lines below.</summary>
internal sealed class PictureLine(int width)
{
    private readonly Paragraph _text = new();
    private int _left = width;

    public PictureLine Add(string text, Style style)
    {
        string fitting = text.Length <= _left ? text : text[.._left];
        _left -= fitting.Length;
        if (fitting.Length > 0)
        {
            _text.Append(fitting, style);
        }

        return this;
    }

    public IRenderable ToRenderable() => _text;
}
