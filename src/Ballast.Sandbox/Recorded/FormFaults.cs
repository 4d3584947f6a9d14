using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Gathers what is wrong with an answer's form.</summary>
internal sealed class FormFaults
{
    private readonly List<WireDifference> _all = [];

    public IReadOnlyList<WireDifference> All => _all;

    public void Add(string pointer, string what) => _all.Add(new WireDifference(pointer, what));

    public void Require(bool isTrue, string pointer, string what)
    {
        if (!isTrue)
        {
            Add(pointer, what);
        }
    }

    public void RequireText(JsonElement element, string name, string at) =>
        Require(!string.IsNullOrEmpty(JsonWalk.Text(element, name)), $"{at}/{name}", "is no text or empty");

    public void RequireWord(JsonElement element, string name, string at, params ReadOnlySpan<string> words) =>
        Require(JsonWalk.Text(element, name) is { } word && words.Contains(word), $"{at}/{name}", $"is {JsonWalk.Text(element, name) ?? "missing"}");

    public void RequireCount(JsonElement element, string name, string at) =>
        Require(JsonWalk.Get(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out long count) && count >= 0, $"{at}/{name}", "is no count");
}
