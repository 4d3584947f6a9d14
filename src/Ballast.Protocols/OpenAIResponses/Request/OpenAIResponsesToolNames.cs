using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// The names of a request's tools, where some are declared in groups (<c>namespace</c>): no other protocol has groups, so that each tool has one name made of both, which no other
/// tool of the request has. The names follow from the request alone: its answers and its history are mapped alike.
/// </summary>
internal sealed class OpenAIResponsesToolNames
{
    /// <summary>The type of a group.</summary>
    public const string Group = "namespace";

    private const string Between = "__";

    private readonly Dictionary<(string Group, string Name), string> _names = [];
    private readonly Dictionary<string, ToolPlace> _places = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <param name="request">The request; anything in it that is no tool is passed over.</param>
    public static OpenAIResponsesToolNames Of(JsonElement request)
    {
        OpenAIResponsesToolNames names = new();
        if (request.ValueKind != JsonValueKind.Object || !request.TryGetProperty("tools"u8, out JsonElement tools) || tools.ValueKind != JsonValueKind.Array)
        {
            return names;
        }

        foreach (JsonElement tool in tools.EnumerateArray())
        {
            if (NameIn(tool) is { } name && !IsGroup(tool))
            {
                names._taken.Add(name);
            }
        }

        foreach (JsonElement group in tools.EnumerateArray().Where(IsGroup))
        {
            foreach (JsonElement tool in group.GetProperty("tools"u8).EnumerateArray())
            {
                if (NameIn(tool) is { } name)
                {
                    names.Add(NameIn(group)!, name);
                }
            }
        }

        return names;
    }

    /// <summary>A group that can be taken apart: it has a name and a list of tools.</summary>
    public static bool IsGroup(JsonElement tool) =>
        NameIn(tool) is not null && tool.TryGetProperty("type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals(Group)
        && tool.TryGetProperty("tools"u8, out JsonElement tools) && tools.ValueKind == JsonValueKind.Array;

    /// <summary>
    /// The one name of a tool; <paramref name="group"/> is null for a tool that stands alone. The vendor names a group, too, with calls of tools that were found by a search,
    /// though they stand alone.
    /// </summary>
    public string NameOf(string? group, string name) =>
        group is null ? name : _names.GetValueOrDefault((group, name)) ?? (_taken.Contains(name) && !_places.ContainsKey(name) ? name : Joined(group, name));

    /// <summary>The tool that a choice means, which names no group: one that stands alone, else the only one of that name.</summary>
    public string ChosenBy(string name)
    {
        string[] grouped = _taken.Contains(name) && !_places.ContainsKey(name) ? [] : [.. _places.Where(place => place.Value.Name == name).Select(static place => place.Key)];
        return grouped is [string only] ? only : name;
    }

    /// <summary>Where the tool of this name was declared; null where it stands alone or is not known.</summary>
    public ToolPlace? PlaceOf(string name) => _places.GetValueOrDefault(name);

    private void Add(string group, string name)
    {
        if (_names.ContainsKey((group, name)))
        {
            return;
        }

        string joined = Joined(group, name);
        if (!_taken.Add(joined))
        {
            joined = $"{joined}_{LegalName.HashOf($"{group}/{name}")}";
            _taken.Add(joined);
        }

        _names[(group, name)] = joined;
        _places[joined] = new ToolPlace(group, name, "");
    }

    private static string Joined(string group, string name) => group + Between + name;

    private static string? NameIn(JsonElement tool) =>
        tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("name"u8, out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
}
