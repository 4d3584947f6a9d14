using System.Text.RegularExpressions;
using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>A principle, ready to be judged by. Immutable.</summary>
public sealed class Principle
{
    private readonly HashSet<string>? _apps;

    public Principle(PrincipleOptions written)
    {
        Options = written;
        _apps = written.Apps is { } apps ? new HashSet<string>(apps, StringComparer.Ordinal) : null;
        Tools = written.Tools is { } tools ? new HashSet<string>(tools, StringComparer.Ordinal) : null;

        // Runs in a time that grows with the text alone, whatever is written: no backtracking.
        const RegexOptions options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
        Pattern = written.Pattern is { } pattern ? new Regex(pattern, options)
            : written.Topics is { } topics ? new Regex($@"\b(?:{string.Join('|', topics.Select(static topic => Regex.Escape(topic).Replace("\\ ", "\\s+", StringComparison.Ordinal)))})\b", options | RegexOptions.IgnoreCase)
            : null;
    }

    public PrincipleOptions Options { get; }
    public string Id => Options.Id;

    /// <summary>What no text may match; null where it is judged otherwise.</summary>
    public Regex? Pattern { get; }

    /// <summary>The only tools; null where it is judged otherwise.</summary>
    public IReadOnlySet<string>? Tools { get; }

    /// <summary>It is judged once the whole answer is there: by a model, or so that the model can be asked again.</summary>
    public bool NeedsWhole => Options.Judge is not null || Options.Action == PrincipleAction.Revise;

    public bool HoldsFor(string app) => _apps is null || _apps.Contains(app);
}
