using System.CommandLine;
using System.Globalization;
using Ballast.Configuration;
using Ballast.Prices;
using Ballast.Prices.Import;

namespace Ballast.Cli;

/// <summary><c>ballast prices</c>: look into the price book, hold other lists against it, take them in.</summary>
public static class PricesCommand
{
    private static readonly Option<string?> s_book = new("--book")
    {
        Description = $"The price book. Without it: {PriceReader.DefaultBook} beside ballast.yaml here, if there is one, else the shipped book.",
        HelpName = "FILE",
    };

    private static readonly Option<bool> s_json = new("--json") { Description = "Exactly one line of JSON on standard output." };

    public static Command Create() => new(
        "prices",
        """
        The price book: what each model costs at each platform, since when, and since when that is known.

        A shipped book is used as it is; the first import writes one of your own beside ballast.yaml, and a running
        gateway takes it up by itself. Nothing in it is ever overwritten: a figure that changed is closed and stays, so
        a cost can be told as it was known then. Figures under 'prices:' in the configuration go before the book.

        Exit code: 0 done, 1 a file cannot be read or written, 2 a wrong argument.

        Examples:
          ballast prices show claude-sonnet-5
          ballast prices show gpt-5.6-luna --platform aws --at 2026-07-01
          ballast prices diff models-dev.json --threshold 1
          ballast prices import genai-prices-v2.json --revision 47df840a --known 2026-08-21
        """)
    {
        Show(),
        Diff(),
        Import(),
    };

    private static Command Show()
    {
        Argument<string> model = new("MODEL") { Description = "A model's id, as the platform is asked for it: claude-sonnet-5, us.anthropic.claude-sonnet-5-v1:0." };
        Option<string?> platform = new("--platform") { Description = "Only this platform: openai, azure, aws, anthropic, google and others.", HelpName = "NAME" };
        Option<string?> at = new("--at") { Description = "Only what is valid on that day.", HelpName = "YYYY-MM-DD" };
        Option<string?> known = new("--known") { Description = "What was known on that day. Without it: what is known now, and what was before.", HelpName = "YYYY-MM-DD" };
        Command command = new("show", "What the book says of a model: all its prices, or those of a day.") { model, platform, at, known, s_book, s_json };
        command.SetAction(arguments => Guarded(arguments, () =>
        {
            PriceBook book = Open(arguments, out string name);
            string id = arguments.GetRequiredValue(model);
            DateOnly? day = Day(arguments.GetValue(at), "--at"), knownOn = Day(arguments.GetValue(known), "--known");
            IEnumerable<string> platforms = arguments.GetValue(platform) is { } one ? [one] : book.Platforms;
            PriceRow[] rows =
            [
                .. platforms.SelectMany(each => book.Find(each, id))
                    .Where(row => (day is null || row.IsValidOn(day.Value)) && (knownOn is null || row.IsKnownOn(knownOn.Value))),
            ];
            if (rows.Length == 0)
            {
                throw new UsageException($"{name} has no price for '{id}'{(arguments.GetValue(platform) is { } where ? $" at {where}" : "")} that fits; platforms: {string.Join(", ", book.Platforms)}.");
            }

            PricesView.Write(arguments.InvocationConfiguration.Output, rows, $"{id}, in {name}", arguments.GetValue(s_json));
        }));
        return command;
    }

    private static Command Diff()
    {
        Argument<string> file = new("FILE") { Description = "genai-prices v2, models.dev's api.json, LiteLLM's model map, or a book of Ballast's own." };
        Option<decimal> threshold = new("--threshold") { Description = "Smallest difference shown, in percent of the book's figure.", HelpName = "PERCENT", DefaultValueFactory = static _ => 0 };
        Option<string?> at = new("--at") { Description = "Compare what is valid on that day; without it: today.", HelpName = "YYYY-MM-DD" };
        Command command = new("diff", "Where another list and the book differ. Exit code 0 also where they do.") { file, threshold, at, s_book, s_json };
        command.SetAction(arguments => Guarded(arguments, () =>
        {
            PriceBook book = Open(arguments, out string name);
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            DateTimeOffset when = Day(arguments.GetValue(at), "--at") is { } day ? new DateTimeOffset(day, new TimeOnly(12, 0), TimeSpan.Zero) : now;
            PriceList list = PriceListReader.Read(arguments.GetRequiredValue(file), "", DateOnly.FromDateTime(now.UtcDateTime));
            IReadOnlyList<PriceDifference> differences = PriceDifference.Find(book, list, when, arguments.GetValue(threshold) / 100);
            PricesView.Write(arguments.InvocationConfiguration.Output, differences, $"{list.Source} against {name}, on {when:yyyy-MM-dd}", arguments.GetValue(s_json));
        }));
        return command;
    }

    private static Command Import()
    {
        Argument<string> file = new("FILE") { Description = "genai-prices v2, models.dev's api.json, LiteLLM's model map, or a book of Ballast's own." };
        Option<string?> revision = new("--revision") { Description = "Which state of the list it is, kept with each figure. Without it: the file's name.", HelpName = "TEXT" };
        Option<string?> known = new("--known") { Description = "The day on which the list was published. Without it: today.", HelpName = "YYYY-MM-DD" };
        Option<bool> replace = new("--replace") { Description = "Take its figures also for models that the book has from another source." };
        Option<bool> dry = new("--dry-run") { Description = "Say what would change, write nothing." };
        Command command = new("import", "Take another list into the book; what it changes is closed, not overwritten.") { file, revision, known, replace, dry, s_book, s_json };
        command.SetAction(arguments => Guarded(arguments, () =>
        {
            string path = arguments.GetValue(s_book) ?? PriceReader.DefaultBook;
            PriceBook book = File.Exists(path) ? PriceBookFile.Read(path) : PriceBook.Shipped;
            DateOnly day = Day(arguments.GetValue(known), "--known") ?? DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
            string source = arguments.GetRequiredValue(file);
            PriceList list = PriceListReader.Read(source, arguments.GetValue(revision) ?? Path.GetFileName(source), day);
            PriceMergeResult result = PriceMerge.Merge(book, list, day, arguments.GetValue(replace));
            bool isWritten = !arguments.GetValue(dry) && result.New.Count + result.Changed.Count > 0;
            if (isWritten)
            {
                PriceBookFile.Write(path, result.Book);
            }

            PricesView.Write(arguments.InvocationConfiguration.Output, result, list.Warnings, isWritten ? path : null, arguments.GetValue(s_json));
        }));
        return command;
    }

    private static PriceBook Open(ParseResult arguments, out string name)
    {
        string? path = arguments.GetValue(s_book) ?? (File.Exists(PriceReader.DefaultBook) ? PriceReader.DefaultBook : null);
        name = path ?? "the shipped book";
        return path is null ? PriceBook.Shipped : PriceBookFile.Read(path);
    }

    private static DateOnly? Day(string? text, string option) =>
        text is null ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) ? day
        : throw new UsageException($"{option} {text}: a day is expected, as 2026-11-30.");

    private static int Guarded(ParseResult arguments, Action run)
    {
        try
        {
            run();
            return 0;
        }
        catch (Exception failure) when (failure is PriceException or UsageException)
        {
            arguments.InvocationConfiguration.Error.WriteLine(failure.Message);
            return failure is UsageException ? CommandLine.UsageError : 1;
        }
    }
}
