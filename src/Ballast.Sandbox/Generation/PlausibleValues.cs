using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Ballast.Sandbox.Generation;

/// <summary>Values that fit a parameter's name and come from the prompt where they can: a city for <c>city</c>.</summary>
internal sealed partial class PlausibleValues(PromptWords words, string? subject, Dice dice)
{
    /// <summary>Only a pattern that backtracks without end takes this long, even on a busy machine: an answer may not depend on load.</summary>
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(2);

    private static readonly string[] Places = ["Paris", "London", "Berlin", "Tokyo", "Lisbon", "Toronto"];

    private static readonly string[] People = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Katherine Johnson"];

    private Dice _dice = dice;
    private int _turn;

    /// <summary>The next value of the same name should be another one.</summary>
    public void MoveOn() => _turn++;

    public bool Mentions(string name, JsonElement schema)
    {
        HashSet<string> asked = [.. words.All.Select(PromptWords.Stem)];
        bool named = NameParts(name).Any(part => asked.Contains(PromptWords.Stem(part)));
        bool chosen = schema.ValueKind == JsonValueKind.Object
            && schema.TryGetProperty("enum", out JsonElement choices) && choices.ValueKind == JsonValueKind.Array
            && choices.EnumerateArray().Any(IsNamedInPrompt);
        return named || chosen;
    }

    public JsonElement Choose(JsonElement[] choices)
    {
        JsonElement[] named = [.. choices.Where(IsNamedInPrompt)];
        return named.Length > 0 ? named[Math.Min(_turn, named.Length - 1)] : _dice.Pick(choices);
    }

    public static JsonNode Flag(string name) => !NameParts(name).Any(part => part is "no" or "not" or "disable" or "skip" or "exclude");

    public JsonNode Integer(string name, Bounds bounds)
    {
        double value = Math.Round(Pick(name, bounds, wholeOnly: true));
        return (long)bounds.Nearest(value);
    }

    public JsonNode Number(string name, Bounds bounds) => bounds.Nearest(Pick(name, bounds, wholeOnly: false));

    public string Text(string name, string description, int least, int most)
    {
        string text = Natural(name, description);
        while (text.Length < least)
        {
            text += text.Length == 0 ? "text" : " " + text;
        }

        return text.Length > most ? ClipTo(text, Math.Max(least, most)) : text;
    }

    public string? Formatted(string format) => format switch
    {
        "date" => Find(DateText()) ?? Day().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        "date-time" => Find(DateTimeText()) ?? Day().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + "T09:30:00Z",
        "time" => "09:30:00Z",
        "duration" => "PT1H30M",
        "email" or "idn-email" => Find(EmailText()) ?? "ada@example.com",
        "uri" or "url" or "uri-reference" or "iri" => Find(AddressText()) ?? "https://example.com/" + Slug(),
        "hostname" => "example.com",
        "ipv4" => "192.0.2." + _dice.Next(1, 254).ToString(CultureInfo.InvariantCulture),
        "ipv6" => "2001:db8::" + _dice.Next(1, 99).ToString(CultureInfo.InvariantCulture),
        "uuid" => _dice.NextGuid().ToString(),
        _ => null,
    };

    public string Matching(string pattern, string name, string description, int least, int most)
    {
        IEnumerable<string> candidates =
        [
            .. words.Quoted, .. words.Names, .. words.Numbers, .. words.All, Natural(name, description),
            .. Enumerable.Range(0, 20).Select(_ => PatternText.Make(pattern, ref _dice)),
        ];
        foreach (string candidate in candidates)
        {
            try
            {
                if (candidate.Length >= least && candidate.Length <= most
                    && Regex.IsMatch(candidate, pattern, RegexOptions.CultureInvariant, MatchTimeout))
                {
                    return candidate;
                }
            }
            catch (Exception fault) when (fault is ArgumentException or RegexMatchTimeoutException)
            {
                break;
            }
        }

        return Text(name, description, least, most);
    }

    private double Pick(string name, Bounds bounds, bool wholeOnly)
    {
        IEnumerable<double> told = words.Numbers
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))
            .Where(number => bounds.Contains(number) && (!wholeOnly || Math.Floor(number) == number));
        double[] fitting = [.. told];
        if (fitting.Length > 0)
        {
            return fitting[Math.Min(_turn, fitting.Length - 1)];
        }

        bool isBounded = bounds.High - bounds.Low < 1e9;
        double low = isBounded || bounds.Low > 0 ? bounds.Low : Math.Max(bounds.Low, Math.Min(1, bounds.High - 10));
        double high = isBounded ? bounds.High : Math.Min(bounds.High, low + 20);
        double value = low + (_dice.NextDouble() * (high - low));
        return wholeOnly || NameParts(name).Any(part => part is "count" or "id") ? Math.Round(value) : Math.Round(value, 2);
    }

    private string Natural(string name, string description)
    {
        string[] parts = [.. NameParts(name)];
        if (Has(parts, "city", "location", "place", "town", "destination", "origin", "country", "region", "address", "capital", "where"))
        {
            return subject ?? Turned(words.Names) ?? Turned(words.Quoted) ?? Places[(int)(_dice.NextBits() % (ulong)Places.Length)];
        }

        if (Has(parts, "email", "mail"))
        {
            return Formatted("email")!;
        }

        if (Has(parts, "url", "uri", "link", "href"))
        {
            return Formatted("uri")!;
        }

        if (Has(parts, "date", "day", "when", "deadline"))
        {
            return Formatted("date")!;
        }

        if (Has(parts, "query", "question", "prompt", "message", "task", "request", "input", "text", "content", "reason", "summary",
            "answer", "description", "explanation", "command", "instruction"))
        {
            return subject ?? Turned(words.Quoted) ?? (words.LastSentence.Length > 0 ? ClipTo(words.LastSentence, 200) : "a short text");
        }

        if (Has(parts, "expression", "formula", "equation", "calculation"))
        {
            return Find(ExpressionText())?.Trim() ?? "1 + 1";
        }

        if (Has(parts, "name", "person", "author", "user", "customer", "owner"))
        {
            return subject ?? Turned(words.Names) ?? Turned(words.Quoted) ?? _dice.Pick(People);
        }

        if (description.Length > 0 && Find(ParenthesisedExample(), description) is { } example && words.Names.Count == 0 && subject is null)
        {
            return example;
        }

        return subject ?? Turned(words.Quoted) ?? Turned(words.Names) ?? Turned(words.Significant) ?? "example";
    }

    private bool IsNamedInPrompt(JsonElement choice) =>
        choice.ValueKind == JsonValueKind.String && choice.GetString() is { Length: > 1 } text
        && words.Text.Contains(text, StringComparison.OrdinalIgnoreCase);

    private string? Turned(IReadOnlyList<string> values) => values.Count == 0 ? null : values[_turn % values.Count];

    private DateTime Day() => new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddDays(_dice.Next(0, 364));

    private string Slug() => words.Significant.Count > 0 ? Uri.EscapeDataString(words.Significant[0].ToLowerInvariant()) : "page";

    private string? Find(Regex pattern) => Find(pattern, words.Text);

    private static string? Find(Regex pattern, string text) =>
        pattern.Match(text) is { Success: true } match ? match.Groups[1].Value : null;

    private static bool Has(string[] parts, params ReadOnlySpan<string> names)
    {
        foreach (string part in parts)
        {
            if (names.Contains(part))
            {
                return true;
            }
        }

        return false;
    }

    private static string ClipTo(string text, int most)
    {
        if (text.Length <= most)
        {
            return text;
        }

        bool halvesPair = most > 0 && char.IsHighSurrogate(text[most - 1]);
        return text[..(halvesPair ? most - 1 : most)];
    }

    private static IEnumerable<string> NameParts(string name) =>
        NamePart().Matches(name).Select(match => match.Value.ToLowerInvariant());

    [GeneratedRegex(@"\p{Lu}?[\p{Ll}\p{N}]+|\p{Lu}+(?!\p{Ll})")]
    private static partial Regex NamePart();

    [GeneratedRegex(@"\b(\d{4}-\d{2}-\d{2})\b")]
    private static partial Regex DateText();

    [GeneratedRegex(@"\b(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}))")]
    private static partial Regex DateTimeText();

    [GeneratedRegex(@"\b([\w.+-]+@[\w-]+\.[\w.-]*\w)")]
    private static partial Regex EmailText();

    [GeneratedRegex(@"\b(https?://[^\s""'<>]*[^\s""'<>.,;!?)])")]
    private static partial Regex AddressText();

    [GeneratedRegex(@"((?:\d[\d.]*|\()[\d\s.+\-*/×÷^()]*[+\-*/×÷^][\d\s.+\-*/×÷^()]*[\d)])")]
    private static partial Regex ExpressionText();

    [GeneratedRegex(@"\be\.g\.,? ?[""'“]?([\p{L}\p{N}][^""'”().\n]{0,60})")]
    private static partial Regex ParenthesisedExample();
}
