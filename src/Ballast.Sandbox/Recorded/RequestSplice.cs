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
    public static IReadOnlyList<WireDifference> Compare(string api, ReadOnlyMemory<byte> sent, ArrivedRequest arrived, string model)
    {
        if (api == WireApi.Invoke || WireApi.FormOf(api) is WireApi.Gemini or WireApi.Converse)
        {
            return ComparePassed(sent, arrived, model);
        }

        string[] spliced = api switch
        {
            WireApi.Messages => ["model", "max_tokens"],
            WireApi.Chat => ["model", "stream_options"],
            // The gateway keeps the state: the vendor is told to keep none, and to hand its reasoning out encrypted.
            WireApi.Responses => ["model", .. AnswerBytes.State, "include"],
            _ => ["model"],
        };
        using JsonDocument? before = JsonWalk.TryParse(sent);
        using JsonDocument? after = JsonWalk.TryParse(arrived.Body);
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

        if (!Without(sent, spliced).AsSpan().SequenceEqual(Without(arrived.Body, spliced)))
        {
            differences.AddRange(DifferentFields(before.RootElement, after.RootElement, spliced, byValue: api == WireApi.Responses));
        }

        return differences;
    }

    /// <summary>The address names the model: the body stays as it is.</summary>
    private static List<WireDifference> ComparePassed(ReadOnlyMemory<byte> sent, ArrivedRequest arrived, string model)
    {
        List<WireDifference> differences = [];
        if (!Uri.UnescapeDataString(arrived.Path).Contains(model, StringComparison.Ordinal))
        {
            differences.Add(new WireDifference("", $"the address {arrived.Path} does not name {model}"));
        }

        if (!sent.Span.SequenceEqual(arrived.Body) && !IsWrapped(sent, arrived.Body))
        {
            using JsonDocument? before = JsonWalk.TryParse(sent);
            using JsonDocument? after = JsonWalk.TryParse(arrived.Body);
            differences.AddRange(before is null || after is null ? [new WireDifference("", "a request is no JSON")] : DifferentFields(before.RootElement, after.RootElement, []));
        }

        return differences;
    }

    /// <summary>Google counts a request with more than a conversation in it only in a wrapper.</summary>
    private static bool IsWrapped(ReadOnlyMemory<byte> sent, ReadOnlyMemory<byte> arrived)
    {
        using JsonDocument? before = JsonWalk.TryParse(sent);
        using JsonDocument? after = JsonWalk.TryParse(arrived);
        return before is not null && after is not null && JsonWalk.Get(after.RootElement, "generateContentRequest") is { } inner
            && Unnamed(JsonWalk.Get(before.RootElement, "generateContentRequest") ?? before.RootElement) == Unnamed(inner);
    }

    private static string Unnamed(JsonElement request) =>
        string.Join('\n', JsonWalk.Fields(request).Where(field => field.Name != "model").Select(field => $"{field.Name}={JsonWalk.Canonical(field.Value)}"));

    private static void CheckStreamOptions(string api, JsonElement before, JsonElement after, List<WireDifference> differences)
    {
        if (api != WireApi.Chat)
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
    private static IEnumerable<WireDifference> DifferentFields(JsonElement before, JsonElement after, string[] spliced, bool byValue = false)
    {
        bool isFound = false;
        foreach (string name in before.EnumerateObject().Concat(after.EnumerateObject()).Select(field => field.Name).Distinct().Except(spliced))
        {
            string? one = before.TryGetProperty(name, out JsonElement left) ? Spelled(left, byValue) : null;
            string? other = after.TryGetProperty(name, out JsonElement right) ? Spelled(right, byValue) : null;
            if (one != other)
            {
                isFound = true;
                yield return new WireDifference(JsonWalk.Below("", name), one is null ? "appeared" : other is null ? "vanished" : "changed");
            }
        }

        if (!isFound && !byValue)
        {
            yield return new WireDifference("", "the order of the fields or the white space between them changed");
        }
    }

    private static string Spelled(JsonElement value, bool byValue) => byValue ? JsonWalk.Canonical(value) : value.GetRawText();

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
