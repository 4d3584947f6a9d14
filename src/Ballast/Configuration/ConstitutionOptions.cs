namespace Ballast.Configuration;

/// <summary>What answers and requests are held against, as written in <c>constitution.yaml</c>.</summary>
public sealed record ConstitutionOptions
{
    public IReadOnlyList<PrincipleOptions> Principles { get; init; } = [];
}

/// <summary>What becomes of a request or an answer that breaks a principle.</summary>
public enum PrincipleAction
{
    /// <summary>It is refused.</summary>
    Block,

    /// <summary>The model is asked once more, told the principle; then it is refused.</summary>
    Revise,

    /// <summary>It goes on, and the ledger says so.</summary>
    Flag,
}

/// <summary>One principle in plain words, and how it is judged: by exactly one of pattern, topics, tools and judge.</summary>
public sealed record PrincipleOptions
{
    public required string Id { get; init; }

    /// <summary>The principle, for people and for models.</summary>
    public required string Text { get; init; }

    /// <summary>A regular expression that no text may match.</summary>
    public string? Pattern { get; init; }

    /// <summary>Words and phrases that no text may hold.</summary>
    public IReadOnlyList<string>? Topics { get; init; }

    /// <summary>Names of the only tools that may be offered and called.</summary>
    public IReadOnlyList<string>? Tools { get; init; }

    /// <summary>A model of this gateway that judges.</summary>
    public string? Judge { get; init; }

    /// <summary>How long the judge may take.</summary>
    public TimeSpan JudgeTimeLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What a judge that fails or takes too long counts as: true lets go on, false is a breach.</summary>
    public bool FailsOpen { get; init; }
    public bool IsOnRequest { get; init; }
    public bool IsOnAnswer { get; init; }
    public PrincipleAction Action { get; init; }

    /// <summary>Apps that it holds for; null means all.</summary>
    public IReadOnlyList<string>? Apps { get; init; }
}
