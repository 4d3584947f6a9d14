using System.Collections;

namespace Ballast.Upstream;

/// <summary>The headers of an upstream request, in the order in which they are sent. Only <see cref="HeaderWriter"/> adds to them.</summary>
public sealed class UpstreamHeaders : IReadOnlyList<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _all = new(12);

    public int Count => _all.Count;

    public KeyValuePair<string, string> this[int index] => _all[index];

    /// <summary>The first value of a header; null where there is none.</summary>
    public string? Find(string name)
    {
        foreach ((string known, string value) in _all)
        {
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        return null;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Takes back what was added after the first <paramref name="count"/>: a signature that is made anew.</summary>
    internal void Truncate(int count) => _all.RemoveRange(count, _all.Count - count);

    internal void Append(string name, string value) => _all.Add(new(name, value));
}
