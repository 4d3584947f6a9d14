using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>How one case ended, as the script told it.</summary>
/// <param name="Target">Name of the target.</param>
/// <param name="Case">Name of the case.</param>
/// <param name="Error">Null where it passed.</param>
/// <param name="Notes">What the case noted: request ids and the like.</param>
internal sealed record NodeResult(string Target, string Case, string? Error, IReadOnlyDictionary<string, string> Notes)
{
    public static NodeResult Parse(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement root = document.RootElement;
        Dictionary<string, string> notes = [];
        if (root.TryGetProperty("notes", out JsonElement noted) && noted.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty note in noted.EnumerateObject())
            {
                notes[note.Name] = note.Value.ToString();
            }
        }

        bool isOk = root.GetProperty("ok").GetBoolean();
        return new NodeResult(
            root.GetProperty("target").GetString()!, root.GetProperty("case").GetString()!, isOk ? null : root.GetProperty("error").GetString(), notes);
    }
}
