using System.Text.Json;
using Ballast.Sandbox.Recorded;

namespace Ballast.Sandbox;

/// <summary>
/// Compares a request with what arrived of it where both sides speak one protocol: every byte must be the same but for the model's name, the wish for usage in a
/// stream, and an output limit where the protocol demands one and the caller gave none.
/// </summary>
public static class RequestSplice
{
    /// <param name="api">How both look.</param>
    /// <param name="sent">The caller's bytes.</param>
    /// <param name="arrived">The platform's.</param>
    /// <param name="model">The model's name that must have arrived.</param>
    public static IReadOnlyList<WireDifference> Compare(string api, ReadOnlyMemory<byte> sent, ReadOnlyMemory<byte> arrived, string model)
    {
        string[] spliced = api == WireApi.Messages ? ["model", "max_tokens"] : ["model", "stream_options"];
        using JsonDocument? before = JsonWalk.TryParse(sent);
        using JsonDocument? after = JsonWalk.TryParse(arrived);
        if (before is null || after is null)
        {
            return [new WireDifference("", "a request is no JSON")];
        }

        List<WireDifference> differences = [];
        if (JsonWalk.Text(after.RootElement, "model") != model)
        {
            differences.Add(new WireDifference("/model", $"{JsonWalk.Text(after.RootElement, "model")} arrived, not {model}"));
        }

        CheckStreamOptions(api, before.RootElement, after.RootElement, differences);
        bool isSetLimit = api == WireApi.Messages && JsonWalk.Get(before.RootElement, "max_tokens") is { } limit
            && (JsonWalk.Get(after.RootElement, "max_tokens") is not { } other || JsonWalk.Canonical(limit) != JsonWalk.Canonical(other));
        if (isSetLimit)
        {
            differences.Add(new WireDifference("/max_tokens", "changed"));
        }

        if (!Without(sent, spliced).AsSpan().SequenceEqual(Without(arrived, spliced)))
        {
            differences.AddRange(DifferentFields(before.RootElement, after.RootElement, spliced));
        }

        return differences;
    }

    private static void CheckStreamOptions(string api, JsonElement before, JsonElement after, List<WireDifference> differences)
    {
        if (api == WireApi.Messages)
        {
            return;
        }

        foreach (JsonProperty option in JsonWalk.Fields(JsonWalk.Get(before, "stream_options")).Where(option => option.Name != "include_usage"))
        {
            if (JsonWalk.Get(after, "stream_options") is not { } options || JsonWalk.Get(options, option.Name) is not { } kept || JsonWalk.Canonical(kept) != JsonWalk.Canonical(option.Value))
            {
                differences.Add(new WireDifference($"/stream_options/{option.Name}", "changed"));
            }
        }

        bool isStream = JsonWalk.Get(before, "stream") is { ValueKind: JsonValueKind.True };
        if (!isStream && JsonWalk.Get(before, "stream_options") is null && JsonWalk.Get(after, "stream_options") is not null)
        {
            differences.Add(new WireDifference("/stream_options", "appeared in a request that is not streamed"));
        }
    }

    /// <summary>Names the fields at fault; where all are alike, the bytes between them are not.</summary>
    private static IEnumerable<WireDifference> DifferentFields(JsonElement before, JsonElement after, string[] spliced)
    {
        bool isFound = false;
        foreach (string name in before.EnumerateObject().Concat(after.EnumerateObject()).Select(field => field.Name).Distinct().Except(spliced))
        {
            string? one = before.TryGetProperty(name, out JsonElement left) ? left.GetRawText() : null;
            string? other = after.TryGetProperty(name, out JsonElement right) ? right.GetRawText() : null;
            if (one != other)
            {
                isFound = true;
                yield return new WireDifference(JsonWalk.Below("", name), one is null ? "appeared" : other is null ? "vanished" : "changed");
            }
        }

        if (!isFound)
        {
            yield return new WireDifference("", "the order of the fields or the white space between them changed");
        }
    }

    /// <summary>The bytes with the named fields of the outermost object cut out, each with one comma and the white space around it.</summary>
    private static byte[] Without(ReadOnlyMemory<byte> json, string[] names)
    {
        List<(int Start, int End)> cuts = [];
        List<(int Start, int End, string Name)> fields = [];
        Utf8JsonReader reader = new(json.Span, new JsonReaderOptions { MaxDepth = 256 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)reader.TokenStartIndex;
            string name = reader.ValueIsEscaped ? "" : System.Text.Encoding.UTF8.GetString(reader.ValueSpan);
            reader.Read();
            reader.Skip();
            fields.Add((start, (int)reader.BytesConsumed, name));
        }

        using MemoryStream rest = new();
        foreach ((int start, int end, string name) in fields.Where(field => !names.Contains(field.Name)))
        {
            rest.Write(json.Span[start..end]);
            rest.WriteByte((byte)'\n');
        }

        if (fields.Count > 0)
        {
            rest.Write(json.Span[..fields[0].Start].TrimEnd(" \t\r\n"u8));
            rest.Write(json.Span[fields[^1].End..].TrimStart(" \t\r\n,"u8));
        }

        return rest.ToArray();
    }
}
