using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Recorded;

namespace Ballast.Sandbox;

/// <summary>
/// Compares an answer with what arrived of it where both sides speak one protocol: every byte must be the same, but that a frame which holds nothing but usage need
/// not reach a caller who did not ask for it, and that a terminal mark that was left out may be put in.
/// </summary>
public static class AnswerBytes
{
    /// <param name="api">How both look.</param>
    /// <param name="isStream">Both are event streams.</param>
    /// <param name="sent">The platform's bytes.</param>
    /// <param name="arrived">The caller's.</param>
    /// <param name="usageAsked">The caller asked for usage in its stream.</param>
    public static IReadOnlyList<WireDifference> Compare(string api, bool isStream, ReadOnlyMemory<byte> sent, ReadOnlyMemory<byte> arrived, bool usageAsked)
    {
        if (sent.Span.SequenceEqual(arrived.Span))
        {
            return [];
        }

        if (api == WireApi.Responses)
        {
            return CompareKept(isStream, sent, arrived);
        }

        if (!isStream)
        {
            return [new WireDifference("", $"{sent.Length} bytes were sent, {arrived.Length} arrived; alike up to byte {sent.Span.CommonPrefixLength(arrived.Span)}")];
        }

        List<EventText> before = EventStreamText.Split(sent.Span);
        List<EventText> after = EventStreamText.Split(arrived.Span);
        int at = 0;
        for (int i = 0; i < before.Count; i++)
        {
            if (at < after.Count && (before[i].Raw == after[at].Raw || (i == before.Count - 1 && IsCompleted(before[i].Raw, after[at].Raw))))
            {
                at++;
            }
            else if (!(api == WireApi.Chat && !usageAsked && IsUsageAlone(before[i].Data)) && !IsBehindTheEnd(api, before, i))
            {
                return [new WireDifference("", $"event {i} of {before.Count}: {Shorten(before[i].Raw)} became {(at < after.Count ? Shorten(after[at].Raw) : "nothing")}")];
            }
        }

        // A stream of Chat Completions that ends without its terminal mark may be given one.
        bool isClosed = api is WireApi.Chat or WireApi.Cohere && at == after.Count - 1 && after[at].Data == "[DONE]" && before.TrueForAll(frame => frame.Data != "[DONE]");
        bool isBlankLineOnly = before.Count > 0 && !before[^1].Raw.EndsWith("\n\n", StringComparison.Ordinal) && after.Skip(at).All(frame => string.IsNullOrWhiteSpace(frame.Raw));
        return at == after.Count || isClosed || isBlankLineOnly ? [] : [new WireDifference("", $"{after.Count - at} events came from nowhere: {Shorten(after[at].Raw)}")];
    }

    /// <summary>What an answer of the Responses interface says of state, which the gateway keeps and answers for itself.</summary>
    internal static readonly string[] State = ["store", "previous_response_id", "conversation"];

    /// <summary>With state in it an answer is written anew: everything else must be the same JSON, in the same events.</summary>
    private static WireDifference[] CompareKept(bool isStream, ReadOnlyMemory<byte> sent, ReadOnlyMemory<byte> arrived)
    {
        List<string> before = isStream ? [.. EventStreamText.Split(sent.Span).Where(one => one.Data.Length > 0).Select(one => one.Data)] : [Encoding.UTF8.GetString(sent.Span)];
        List<string> after = isStream ? [.. EventStreamText.Split(arrived.Span).Where(one => one.Data.Length > 0).Select(one => one.Data)] : [Encoding.UTF8.GetString(arrived.Span)];
        for (int i = 0; i < before.Count; i++)
        {
            if (i >= after.Count || Stateless(before[i]) != Stateless(after[i]))
            {
                // What follows the answer's end is no part of it.
                return i == after.Count && i > 0 && before[i - 1].Contains("\"response.completed\"", StringComparison.Ordinal)
                    ? [] : [new WireDifference("", $"piece {i} of {before.Count}: {Shorten(before[i])} became {(i < after.Count ? Shorten(after[i]) : "nothing")}")];
            }
        }

        return after.Count > before.Count ? [new WireDifference("", $"{after.Count - before.Count} events came from nowhere")] : [];
    }

    private static string Stateless(string json)
    {
        try
        {
            if (JsonNode.Parse(json) is not JsonObject root)
            {
                return json;
            }

            JsonObject response = root["response"] as JsonObject ?? root;
            foreach (string name in State)
            {
                response.Remove(name);
            }

            return JsonWalk.CanonicalText(root.ToJsonString());
        }
        catch (JsonException)
        {
            return json;
        }
    }

    /// <summary>Two lists of the same JSON values, however they are written: a stream that was asked for as an array is one.</summary>
    public static IReadOnlyList<WireDifference> CompareItems(ReadOnlyMemory<byte> sent, ReadOnlyMemory<byte> arrived) =>
        JsonWalk.CanonicalText(Encoding.UTF8.GetString(sent.Span)) == JsonWalk.CanonicalText(Encoding.UTF8.GetString(arrived.Span)) ? [] : [new WireDifference("", "the items of the array differ")];

    /// <summary>What follows the terminal mark is no part of the answer.</summary>
    private static bool IsBehindTheEnd(string api, List<EventText> events, int index) =>
        events.Take(index).Any(earlier => api == WireApi.Messages ? earlier.Name == "message_stop" : earlier.Data == "[DONE]");

    /// <summary>The last event of a stream may lack the blank line that ends it: clients wait for it.</summary>
    private static bool IsCompleted(string before, string after) =>
        after.StartsWith(before, StringComparison.Ordinal) && after[before.Length..].All(letter => letter is '\r' or '\n');

    private static bool IsUsageAlone(string data)
    {
        using JsonDocument? document = JsonWalk.TryParse(data);
        return document is not null && JsonWalk.Get(document.RootElement, "usage") is not null && !JsonWalk.Items(JsonWalk.Get(document.RootElement, "choices")).Any();
    }

    private static string Shorten(string text) => text.Length <= 100 ? $"'{text.TrimEnd()}'" : $"'{text[..80]}…'";
}
