using System.Text;
using Spectre.Console;

namespace Ballast.Cli;

/// <summary>A table that can be shown in a terminal or written as Markdown. Cells are plain text: nothing in them can steer the terminal.</summary>
internal sealed class ReportTable(string title)
{
    /// <summary>Where output is no terminal, lines may be long: whoever reads them later can wrap them.</summary>
    private const int PipedWidth = 240;

    /// <summary>A column of text is readable from this width on, even if its cells are longer.</summary>
    private const int ReadableWidth = 28;

    /// <summary>Space and line between two columns.</summary>
    private const int SeparatorWidth = 3;

    private readonly List<Column> _columns = [];
    private readonly List<string[]> _rows = [];

    /// <param name="header">Its name.</param>
    /// <param name="isOptional">Left out, and said to be, where a terminal is too narrow for all columns; the rightmost goes first.</param>
    public void AddTextColumn(string header, bool isOptional = false) => _columns.Add(new Column(header, IsNumber: false, isOptional));

    /// <inheritdoc cref="AddTextColumn"/>
    public void AddNumberColumn(string header, bool isOptional = false) => _columns.Add(new Column(header, IsNumber: true, isOptional));

    public void AddRow(IEnumerable<string> cells)
    {
        string[] row = [.. cells.Select(Clean)];
        if (row.Length != _columns.Count)
        {
            throw new ArgumentException($"A row has {row.Length} cells, the table {_columns.Count} columns.", nameof(cells));
        }

        _rows.Add(row);
    }

    public void WriteTerminal(TextWriter output)
    {
        AnsiConsoleOutput target = new(output);
        if (target.IsTerminal)
        {
            IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = target });
            WriteTo(console, output, console.Profile.Width);
            return;
        }

        using StringWriter drawn = new();
        IAnsiConsole plain = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(drawn),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
        });
        plain.Profile.Width = PipedWidth;
        WriteTo(plain, drawn, PipedWidth);
        foreach (string line in drawn.ToString().TrimEnd().Split('\n'))
        {
            output.WriteLine(line.TrimEnd());
        }

        output.WriteLine();
    }

    /// <summary>The columns that a terminal of this width shows.</summary>
    internal IReadOnlyList<string> HeadersAt(int width) => [.. ColumnsAt(width).Select(index => _columns[index].Header)];

    private void WriteTo(IAnsiConsole console, TextWriter output, int width)
    {
        int[] shown = ColumnsAt(width);
        Table table = new() { Border = TableBorder.Minimal };
        foreach (int index in shown)
        {
            Column column = _columns[index];
            TableColumn header = new(new Text(column.Header, new Style(decoration: Decoration.Bold)));
            header.Alignment = column.IsNumber ? Justify.Right : Justify.Left;
            header.NoWrap = column.IsNumber;
            table.AddColumn(header);
        }

        foreach (string[] row in _rows)
        {
            table.AddRow(shown.Select(index => new Text(row[index])));
        }

        output.WriteLine(title);
        console.Write(table);
        if (shown.Length < _columns.Count)
        {
            IEnumerable<string> missing = Enumerable.Range(0, _columns.Count).Except(shown).Select(index => _columns[index].Header);
            output.WriteLine($"  (too narrow here for: {string.Join(", ", missing)})");
            output.WriteLine();
        }
    }

    private int[] ColumnsAt(int width)
    {
        List<int> shown = [.. Enumerable.Range(0, _columns.Count)];
        while (shown.Sum(index => NeededWidth(index) + SeparatorWidth) > width && shown.FindLastIndex(index => _columns[index].IsOptional) is >= 0 and int last)
        {
            shown.RemoveAt(last);
        }

        return [.. shown];
    }

    private int NeededWidth(int index)
    {
        int longest = _rows.Select(row => row[index].Length).DefaultIfEmpty().Max();
        return Math.Max(_columns[index].Header.Length, _columns[index].IsNumber ? longest : Math.Min(longest, ReadableWidth));
    }

    public void WriteMarkdown(TextWriter output)
    {
        output.WriteLine($"### {title}");
        output.WriteLine();
        WriteMarkdownRow(output, _columns.Select(column => column.Header));
        output.WriteLine("|" + string.Concat(_columns.Select(column => column.IsNumber ? " ---: |" : " --- |")));
        foreach (string[] row in _rows)
        {
            WriteMarkdownRow(output, row);
        }

        output.WriteLine();
    }

    private static void WriteMarkdownRow(TextWriter output, IEnumerable<string> cells) =>
        output.WriteLine("| " + string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))) + " |");

    /// <summary>A model's name comes from a client: escape sequences and line ends in it are shown as a question mark.</summary>
    internal static string Clean(string cell)
    {
        if (!cell.Any(char.IsControl))
        {
            return cell;
        }

        StringBuilder clean = new(cell.Length);
        foreach (char character in cell)
        {
            clean.Append(char.IsControl(character) ? '?' : character);
        }

        return clean.ToString();
    }

    private sealed record Column(string Header, bool IsNumber, bool IsOptional);
}
