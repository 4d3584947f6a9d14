using System.Text.Json;

namespace Ballast.Protocols;

/// <summary>Searches of the web that a request is taken for at most: as many as its tools allow, where they say so, and a fixed number where they do not.</summary>
public static class SearchBound
{
    /// <summary>Searches that a tool for them is taken for where the caller does not say how many it may make.</summary>
    public const int SearchesMax = 10;

    /// <summary>A caller who allows more is taken for as many.</summary>
    private const int ToldMax = 10_000;

    private const int DepthMax = 128;

    /// <summary>How many; 0 for a request that cannot search. A body that is no JSON is taken for one that says nothing of their number.</summary>
    /// <param name="body">As the caller wrote it, in whatever protocol.</param>
    /// <param name="isSure">It may search, whatever its body says.</param>
    public static int Of(ReadOnlySpan<byte> body, bool isSure)
    {
        if (!isSure && !NamesTool(body))
        {
            return 0;
        }

        bool tells = body.IndexOf("\"max_uses\""u8) >= 0 || body.IndexOf("\"max_tool_calls\""u8) >= 0;
        return tells && Told(body) is { } told ? told : SearchesMax;
    }

    /// <summary>In text a quotation mark has a stroke before it; one without begins a name or a word of the request's own.</summary>
    private static bool NamesTool(ReadOnlySpan<byte> body) =>
        Begins(body, "\"web_search"u8) || Begins(body, "\"google"u8) || Begins(body, "\"enterpriseWebSearch"u8) || Begins(body, "\"enterprise_web_search"u8) || Begins(body, "\"search_parameters"u8);

    private static bool Begins(ReadOnlySpan<byte> body, ReadOnlySpan<byte> word)
    {
        for (int at = 0; body[at..].IndexOf(word) is >= 0 and int found;)
        {
            at += found + word.Length;
            if (at == word.Length || body[at - word.Length - 1] != (byte)'\\')
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What the tools of a request say (<c>max_uses</c> of each, <c>max_tool_calls</c> of all); null where one of them says nothing, and none of all does.</summary>
    private static int? Told(ReadOnlySpan<byte> body)
    {
        try
        {
            int? calls = null;
            int? uses = null;
            Utf8JsonReader json = new(body, new JsonReaderOptions { MaxDepth = DepthMax });
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isCalls = json.ValueTextEquals("max_tool_calls"u8);
                bool isTools = json.ValueTextEquals("tools"u8);
                json.Read();
                if (isTools && json.TokenType == JsonTokenType.StartArray)
                {
                    uses = UsesOf(ref json);
                    continue;
                }

                calls = isCalls ? Number(json) : calls;
                json.Skip();
            }

            return uses is null ? calls : Math.Min(uses.Value, calls ?? ToldMax);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null; // It is refused elsewhere.
        }
    }

    private static int? UsesOf(ref Utf8JsonReader json)
    {
        long sum = 0;
        bool isTold = true;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject)
            {
                json.Skip();
                continue;
            }

            bool isSearch = false;
            int? uses = null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isType = json.ValueTextEquals("type"u8);
                bool isUses = json.ValueTextEquals("max_uses"u8);
                json.Read();
                isSearch |= isType && json.TokenType == JsonTokenType.String && json.ValueSpan.IndexOf("search"u8) >= 0;
                uses = isUses ? Number(json) : uses;
                json.Skip();
            }

            isTold &= !isSearch || uses is not null;
            sum += isSearch ? uses ?? 0 : 0;
        }

        return isTold ? (int)Math.Min(sum, ToldMax) : null;
    }

    private static int? Number(in Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long count) && count >= 0 ? (int)Math.Min(count, ToldMax) : null;
}
