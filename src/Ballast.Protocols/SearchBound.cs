using System.Text;
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

    /// <summary>Of all protocols: a request may be translated, and a server may know another vendor's words beside its protocol's.</summary>
    private static readonly SearchWords[] s_words = [.. ProtocolList.All.Select(static protocol => protocol.SearchWords).OfType<SearchWords>()];

    private static readonly byte[][] s_names = [.. Distinct(s_words.SelectMany(static words => words.Names)).Select(static name => Encoding.UTF8.GetBytes($"\"{name}"))];
    private static readonly byte[][] s_toolLimits = [.. Distinct(s_words.Select(static words => words.ToolLimit)).Select(Quoted)];
    private static readonly byte[][] s_requestLimits = [.. Distinct(s_words.Select(static words => words.RequestLimit)).Select(Quoted)];

    /// <summary>A model searches by itself, whatever it is asked: OpenAI and others call such a model so.</summary>
    public static bool IsOfName(string model) => model.Contains("search", StringComparison.OrdinalIgnoreCase);

    /// <summary>How many; 0 for a request that cannot search. A body that is no JSON is taken for one that says nothing of their number.</summary>
    /// <param name="body">As the caller wrote it, in whatever protocol.</param>
    /// <param name="isSure">It may search, whatever its body says.</param>
    public static int Of(ReadOnlySpan<byte> body, bool isSure)
    {
        if (!isSure && !NamesTool(body))
        {
            return 0;
        }

        return (NamesAny(body, s_toolLimits) || NamesAny(body, s_requestLimits)) && Told(body) is { } told ? told : SearchesMax;
    }

    private static IEnumerable<string> Distinct(IEnumerable<string?> words) => words.OfType<string>().Distinct(StringComparer.Ordinal);

    private static byte[] Quoted(string field) => Encoding.UTF8.GetBytes($"\"{field}\"");

    private static bool NamesTool(ReadOnlySpan<byte> body)
    {
        foreach (byte[] name in s_names)
        {
            if (Begins(body, name))
            {
                return true;
            }
        }

        return false;
    }

    private static bool NamesAny(ReadOnlySpan<byte> body, byte[][] fields)
    {
        foreach (byte[] field in fields)
        {
            if (body.IndexOf(field) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Is(in Utf8JsonReader json, byte[][] fields)
    {
        foreach (byte[] field in fields)
        {
            if (json.ValueTextEquals(field.AsSpan(1, field.Length - 2)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>In text a quotation mark has a stroke before it; one without begins a name or a word of the request's own.</summary>
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

    /// <summary>What the tools of a request say (each of itself, or the request of all); null where one of them says nothing, and none of all does.</summary>
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
                bool isCalls = Is(json, s_requestLimits);
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
        bool isTold = false;
        bool isUntold = false;
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
                bool isUses = Is(json, s_toolLimits);
                json.Read();
                isSearch |= isType && json.TokenType == JsonTokenType.String && json.ValueSpan.IndexOf("search"u8) >= 0;
                uses = isUses ? Number(json) : uses;
                json.Skip();
            }

            isTold |= isSearch && uses is not null;
            isUntold |= isSearch && uses is null;
            sum += isSearch ? uses ?? 0 : 0;
        }

        // Where no tool is one that searches, something else of the request asks for it, and says nothing of a number.
        return isTold && !isUntold ? (int)Math.Min(sum, ToldMax) : null;
    }

    private static int? Number(in Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long count) && count >= 0 ? (int)Math.Min(count, ToldMax) : null;
}
