using System.Globalization;

namespace Ballast.Bench;

/// <summary>What the bench is to do, and its limits.</summary>
public sealed record BenchOptions
{
    /// <summary>The whole run, set-up excluded.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(25);

    public const int RoundsMax = 50;

    public required string Root { get; init; }
    public int Rounds { get; init; } = 5;

    /// <summary>One short round: shows that everything runs; its figures judge nothing.</summary>
    public bool Quick { get; init; }
    public bool Json { get; init; }

    /// <summary>Where the runtime is to write what it counts in Ballast under load, for the compiler ahead of time; nothing is compared then. Null where it is to be measured.</summary>
    public string? Counts { get; init; }

    /// <summary>Length of one measurement.</summary>
    public double Seconds => Counts is not null ? 8 : Quick ? 0.7 : 2;
    public double WarmSeconds => Quick ? 0.3 : 0.6;
    public string Scratch => Path.Combine(Root, "artifacts", "bench", "run");
    public string Tools => Path.Combine(Root, "artifacts", "bench");
    public string Files => Path.Combine(Root, "bench");

    public static BenchOptions? Parse(string[] args)
    {
        BenchOptions options = new() { Root = "" };
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--root" when i + 1 < args.Length:
                    options = options with { Root = args[++i] };
                    break;
                case "--rounds" when i + 1 < args.Length && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out int rounds) && rounds is >= 1 and <= RoundsMax:
                    options = options with { Rounds = rounds };
                    i++;
                    break;
                case "--quick":
                    options = options with { Quick = true, Rounds = 1 };
                    break;
                case "--counts" when i + 1 < args.Length:
                    options = options with { Counts = args[++i] };
                    break;
                case "--json":
                    options = options with { Json = true };
                    break;
                default:
                    return null;
            }
        }

        return options.Root.Length == 0 ? null : options;
    }
}

/// <summary>The bench cannot go on; the message says why.</summary>
public sealed class BenchException(string message) : Exception(message);
