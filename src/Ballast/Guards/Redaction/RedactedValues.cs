namespace Ballast.Guards.Redaction;

/// <summary>The values that were taken out of one request, by what stands in their place, for as long as the request lasts. It has no printable form.</summary>
internal sealed class RedactedValues(RedactionPolicy policy)
{
    private readonly Dictionary<string, string> _originals = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _placeholders = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>Values replaced so far, by label: in the request, and in the answer where the model wrote them.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    public bool IsEmpty => _originals.Count == 0;

    /// <summary>Takes a value out of a request.</summary>
    public string Hide(string label, string value)
    {
        Count(label);
        if (_placeholders.TryGetValue(value, out string? known))
        {
            return known;
        }

        int attempt = 0;
        string made = Placeholder.Of(policy.Key, label, value, attempt);
        while (_originals.TryGetValue(made, out string? other) && other != value)
        {
            made = Placeholder.Of(policy.Key, label, value, ++attempt);
        }

        _originals[made] = value;
        _placeholders[value] = made;
        return made;
    }

    /// <summary>What stands for a value that the model wrote; null where the caller wrote it first and so may see it.</summary>
    public string? Veil(string label, string value)
    {
        if (_placeholders.ContainsKey(value))
        {
            return null;
        }

        Count(label);
        return Placeholder.Of(policy.Key, label, value, attempt: 0);
    }

    /// <summary>The value behind a placeholder of this request; null for any other text.</summary>
    public string? Reveal(ReadOnlySpan<char> placeholder) => _originals.TryGetValue(placeholder.ToString(), out string? value) ? value : null;

    public override string ToString() => "(redacted values)";

    private void Count(string label) => _counts[label] = _counts.GetValueOrDefault(label) + 1;
}
