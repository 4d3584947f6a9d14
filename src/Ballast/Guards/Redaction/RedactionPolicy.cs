using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Ballast.Configuration;

namespace Ballast.Guards.Redaction;

/// <summary>What one app's requests and answers are searched for, ready to run. Immutable.</summary>
public sealed class RedactionPolicy
{
    private RedactionPolicy(RedactionOptions options, byte[] key)
    {
        Key = key;
        Kinds = options.Kinds.Select(static kind => kind.ToUpperInvariant()).ToFrozenSet(StringComparer.Ordinal);
        Patterns = [.. options.Patterns.Select(static pattern => (pattern.Name.ToUpperInvariant(), RegexOf(pattern.Pattern)))];
        Labels = [.. RedactionKind.All, .. Patterns.Select(static pattern => pattern.Label)];
        RedactsAnswers = options.RedactsAnswers;
        RefusesUnreadable = options.RefusesUnreadable;
        IsByLine = options.Patterns.Any(static pattern => MayHoldBlank(pattern.Pattern));
    }

    /// <summary>What the model itself writes is searched, too.</summary>
    public bool RedactsAnswers { get; }

    /// <summary>Pictures, files and whatever else cannot be searched is refused; else it goes on as it is.</summary>
    public bool RefusesUnreadable { get; }

    /// <summary>Of the app alone, from the gateway's own secret.</summary>
    internal byte[] Key { get; }
    internal IReadOnlySet<string> Kinds { get; }
    internal IReadOnlyList<(string Label, Regex Pattern)> Patterns { get; }

    /// <summary>Every label that a placeholder may have.</summary>
    internal IReadOnlyList<string> Labels { get; }

    /// <summary>A pattern may match blanks: then whole lines are looked at together.</summary>
    internal bool IsByLine { get; }

    /// <param name="options">As written; null where the app redacts nothing.</param>
    /// <param name="app">The app.</param>
    /// <param name="secret">HMAC under the gateway's own secret.</param>
    public static RedactionPolicy? Of(RedactionOptions? options, string app, Func<string, string> secret) =>
        options is null || options.IsEmpty ? null : new RedactionPolicy(options, Convert.FromHexString(secret("ballast redaction of " + app)));

    /// <summary>A policy with a key of its own that nobody else has.</summary>
    public static RedactionPolicy Of(RedactionOptions options) => new(options, RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes));

    internal static RedactionPolicy Of(RedactionOptions options, string key) => new(options, SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>Runs in a time that grows with the text alone, whatever the pattern is: no backtracking.</summary>
    private static Regex RegexOf(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    /// <summary>Errs on the side of yes.</summary>
    private static bool MayHoldBlank(string pattern) =>
        pattern.Contains(' ', StringComparison.Ordinal) || pattern.Contains("\\s", StringComparison.Ordinal) || pattern.Contains("[^", StringComparison.Ordinal)
        || pattern.Contains("\\W", StringComparison.Ordinal) || pattern.Contains("\\D", StringComparison.Ordinal) || pattern.Contains("\\P", StringComparison.Ordinal)
        || pattern.Contains("\\p{Z", StringComparison.Ordinal) || pattern.Contains("\\x", StringComparison.Ordinal) || pattern.Contains("\\u", StringComparison.Ordinal)
        || pattern.Contains("\\t", StringComparison.Ordinal) || pattern.Replace("\\.", "", StringComparison.Ordinal).Contains('.', StringComparison.Ordinal);
}
