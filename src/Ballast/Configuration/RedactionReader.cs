using System.Text.RegularExpressions;

namespace Ballast.Configuration;

/// <summary>Reads an app's <c>redact:</c> and what belongs to it, and judges patterns wherever they come from.</summary>
public static class RedactionReader
{
    /// <summary>Longest pattern, in characters, and most of them for an app.</summary>
    public const int PatternLengthMax = 1_000;
    public const int PatternsMax = 50;

    private const int NameLengthMax = 20;

    internal static RedactionOptions? Read(SectionReader app)
    {
        List<string> kinds = [];
        foreach ((YamlScalar scalar, string path) in app.Scalars("redact") ?? [])
        {
            if (RedactionOptions.AllKinds.Contains(scalar.Text))
            {
                kinds.Add(scalar.Text);
            }
            else
            {
                app.Fault(scalar, path, "there is nothing of that kind to be found", $"one of {string.Join(", ", RedactionOptions.AllKinds)}");
            }
        }

        List<RedactionPattern> patterns = [];
        foreach ((string name, string pattern, string path) in app.NamedTexts("redact_patterns"))
        {
            if (FaultOf(name, pattern) is { } fault)
            {
                app.ErrorAt(path, fault, "a lower-case word, and a regular expression without lookaround and backreferences");
            }
            else
            {
                patterns.Add(new RedactionPattern(name, pattern));
            }
        }

        if (patterns.Count > PatternsMax)
        {
            app.Error("redact_patterns", $"more than {PatternsMax} patterns", "put some together with |");
        }

        RedactionOptions options = new()
        {
            Kinds = kinds,
            Patterns = patterns,
            RedactsAnswers = app.OneOf("redact_answers", ["pass", "redact"]) == "redact",
            RefusesUnreadable = app.OneOf("redact_unreadable", ["refuse", "pass"]) != "pass",
        };
        return options.IsEmpty ? null : options;
    }

    /// <summary>Why a pattern cannot be used; null where it can.</summary>
    public static string? FaultOf(string name, string pattern)
    {
        if (name.Length is < 2 or > NameLengthMax || !char.IsAsciiLetterLower(name[0]) || !name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            || RedactionOptions.AllKinds.Contains(name))
        {
            return $"'{(name.Length > NameLengthMax ? name[..NameLengthMax] : name)}' cannot be the name of a pattern: 2 to {NameLengthMax} lower-case letters and digits, and none of the kinds'";
        }

        if (pattern.Length is 0 or > PatternLengthMax)
        {
            return $"the pattern of '{name}' must have from 1 to {PatternLengthMax} characters";
        }

        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant).IsMatch("") ? $"the pattern of '{name}' matches nothing at all, and so everywhere" : null;
        }
        catch (Exception broken) when (broken is ArgumentException or NotSupportedException)
        {
            return $"the pattern of '{name}' cannot be used: {broken.Message}";
        }
    }
}
