namespace Ballast.Configuration;

/// <summary>What is taken out of an app's requests before they leave, as written.</summary>
public sealed record RedactionOptions
{
    /// <summary>Kinds that are found without being told how: see <see cref="AllKinds"/>.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = [];

    /// <summary>Patterns of one's own.</summary>
    public IReadOnlyList<RedactionPattern> Patterns { get; init; } = [];

    /// <summary>What a model itself writes is searched, too; else only what was taken out is put back.</summary>
    public bool RedactsAnswers { get; init; }

    /// <summary>Requests with pictures, files and the like are refused; else those parts go on unsearched.</summary>
    public bool RefusesUnreadable { get; init; } = true;

    public static IReadOnlyList<string> AllKinds { get; } = ["email", "phone", "iban", "card", "secret"];

    public bool IsEmpty => Kinds.Count == 0 && Patterns.Count == 0;
}

/// <summary>A regular expression of one's own. <paramref name="Name"/> is a lower-case word and, in capitals, what its placeholders begin with.</summary>
public sealed record RedactionPattern(string Name, string Pattern);
