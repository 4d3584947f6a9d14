using Ballast.Cli;

namespace Ballast.Tests.Cli;

public sealed class ReportTableTests
{
    private static ReportTable Create(string cell)
    {
        ReportTable table = new("Title");
        table.AddTextColumn("name");
        table.AddNumberColumn("count");
        table.AddRow([cell, "7"]);
        return table;
    }

    [Fact]
    public void WriteMarkdown_Rows_AreAMarkdownTable()
    {
        using StringWriter output = new();
        Create("a|b").WriteMarkdown(output);

        Assert.Equal(
            ["### Title", "", "| name | count |", "| --- | ---: |", "| a\\|b | 7 |", "", ""],
            output.ToString().Split(Environment.NewLine));
    }

    [Fact]
    public void WriteTerminal_Rows_ShowHeaderAndCells()
    {
        using StringWriter output = new();
        Create("[red]model[/]").WriteTerminal(output);

        Assert.Contains("name", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("[red]model[/]", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ControlCharactersInACell_NeverReachTheTerminal()
    {
        using StringWriter output = new();
        ReportTable table = Create("gpt\u001b[2J\r\nx\u0007");
        table.WriteTerminal(output);
        table.WriteMarkdown(output);

        Assert.DoesNotContain('\u001b', output.ToString());
        Assert.DoesNotContain('\u0007', output.ToString());
        Assert.Contains("gpt?[2J??x?", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AddRow_WrongNumberOfCells_IsRefused() => Assert.Throws<ArgumentException>(() => Create("a").AddRow(["only one"]));

    [Fact]
    public void HeadersAt_TooNarrowATerminal_LeavesOptionalColumnsOutFromTheRight()
    {
        ReportTable table = new("Title");
        table.AddTextColumn("platform");
        table.AddNumberColumn("tokens", isOptional: true);
        table.AddTextColumn("stops without it");
        table.AddTextColumn("goes on with fewer", isOptional: true);
        table.AddRow(["anthropic", "26.9%", new string('s', 60), new string('g', 60)]);

        Assert.Equal(["platform", "tokens", "stops without it", "goes on with fewer"], table.HeadersAt(120));
        Assert.Equal(["platform", "tokens", "stops without it"], table.HeadersAt(60));
        Assert.Equal(["platform", "stops without it"], table.HeadersAt(45));
        Assert.Equal(["platform", "stops without it"], table.HeadersAt(20));
    }
}
