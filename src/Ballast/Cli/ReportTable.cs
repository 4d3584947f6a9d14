using System.Text;
using Spectre.Console;

namespace Ballast.Cli;

/// <summary>A table that can be shown in a terminal or written as Markdown. Cells are plain text: nothing in them can steer the terminal.</summary>
internal sealed class ReportTable(string title)
{
    /// <summary>Where output is no terminal, lines may be long: whoever reads them later can wrap them.</summary>
    private const int PipedWidth = 240;

    private readonly List<Column> _columns = [];
    private readonly List<string[]> _rows = [];

    public void AddTextColumn(string header) => _columns.Add(new Column(header, IsNumber: false));

    public void AddNumberColumn(string header) => _columns.Add(new Column(header, IsNumber: true));

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
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = target,
            Ansi = target.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = target.IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        if (!target.IsTerminal)
        {
            console.Profile.Width = PipedWidth;
        }

        Table table = new() { Border = TableBorder.Minimal };
        foreach (Column column in _columns)
        {
            TableColumn header = new(new Text(column.Header, new Style(decoration: Decoration.Bold)));
            header.Alignment = column.IsNumber ? Justify.Right : Justify.Left;
            header.NoWrap = column.IsNumber;
            table.AddColumn(header);
        }

        foreach (string[] row in _rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        output.WriteLine(title);
        console.Write(table);
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
    private static string Clean(string cell)
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

    private sealed record Column(string Header, bool IsNumber);
}
