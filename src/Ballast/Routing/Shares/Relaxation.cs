namespace Ballast.Routing.Shares;

/// <summary>Why a rule was suspended.</summary>
public enum RelaxationCause
{
    /// <summary>What would have kept the rule is down or resting.</summary>
    Health,

    /// <summary>What would have kept the rule is up and at its quota.</summary>
    Quota,

    /// <summary>Law or the model's candidates leave no other choice, even with everything up: the policy cannot hold for this traffic.</summary>
    Eligibility,
}

/// <summary>A time in which a rule was suspended, because the alternative was no answer.</summary>
public sealed record Relaxation
{
    public required string PolicyName { get; init; }
    public required int PolicyVersion { get; init; }
    public required string Rule { get; init; }
    public required RelaxationCause Cause { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When the last request was served so; what is over <see cref="IsOver"/>.</summary>
    public required DateTimeOffset LastAt { get; init; }
    public required long Requests { get; init; }

    /// <summary>In the policy's unit.</summary>
    public required double Volume { get; init; }
    public required bool IsOver { get; init; }

    /// <summary>In the word of logs, metrics and files.</summary>
    public string CauseName => NameOf(Cause);

    public static string NameOf(RelaxationCause cause) => cause switch { RelaxationCause.Health => "health", RelaxationCause.Quota => "quota", _ => "eligibility" };

    /// <summary>The cause behind a word.</summary>
    public static RelaxationCause CauseOf(string? name) => name switch { "health" => RelaxationCause.Health, "quota" => RelaxationCause.Quota, _ => RelaxationCause.Eligibility };
}
