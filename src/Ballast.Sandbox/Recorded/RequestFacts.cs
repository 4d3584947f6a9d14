using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>One thing a conversation says: who says it, in which turn, what kind of thing it is, where it stands.</summary>
internal sealed record SpokenFact(string Speaker, int Turn, string Kind, string Value, string Pointer);

/// <summary>One thing a request asks for beside the conversation.</summary>
internal sealed record SettingFact(string Kind, string Value, string Pointer);

/// <summary>
/// What a request says, in words that both protocols share. Read with nothing but JSON: what a gateway takes for the same must be the same here. A field that is not
/// known here is a setting of its own kind, so that nothing can be overlooked.
/// </summary>
internal sealed class RequestFacts
{
    public const string Instructor = "system";
    public const string User = "user";
    public const string Assistant = "assistant";

    private int _turn;
    private string _speaker = "";

    public List<SpokenFact> Spoken { get; } = [];

    public List<SettingFact> Settings { get; } = [];

    /// <summary>Null where the bytes are no JSON object.</summary>
    public static RequestFacts? Read(string api, ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        if (document is null || document.RootElement.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        RequestFacts facts = new();
        JsonElement root = document.RootElement;
        switch (WireApi.FormOf(api))
        {
            case WireApi.Messages:
                MessagesRequestFacts.Read(root, facts);
                break;
            case WireApi.Gemini:
                GeminiRequestFacts.Read(root, facts);
                break;
            case WireApi.Converse:
                ConverseRequestFacts.Read(root, facts);
                break;
            case WireApi.Responses:
                ResponsesRequestFacts.Read(root, facts);
                break;
            case WireApi.Ollama:
                PlainRequestFacts.ReadOllama(root, facts);
                break;
            case WireApi.Cohere:
                PlainRequestFacts.ReadCohere(root, facts);
                break;
            default:
                ChatRequestFacts.Read(root, facts);
                break;
        }

        return facts;
    }

    /// <summary>Pointers of everything said, for the question what vanished whole.</summary>
    public IEnumerable<string> Pointers => Spoken.Select(fact => fact.Pointer).Concat(Settings.Select(fact => fact.Pointer));

    /// <summary>The next facts are this speaker's; a turn ends where the other side begins to speak. System text belongs to no turn.</summary>
    public void Begin(string speaker)
    {
        if (speaker != Instructor && speaker != _speaker)
        {
            _turn++;
            _speaker = speaker;
        }
    }

    public void Say(string speaker, string kind, string value, string pointer)
    {
        // White space alone says nothing: one protocol refuses it.
        if (kind != "text" || !string.IsNullOrWhiteSpace(value))
        {
            Spoken.Add(new SpokenFact(speaker, speaker == Instructor ? 0 : _turn, kind, value, pointer));
        }
    }

    public void Set(string kind, string value, string pointer) => Settings.Add(new SettingFact(kind, value, pointer));

    /// <summary>A field that has no word here.</summary>
    public void Unknown(JsonProperty field, string parent)
    {
        if (field.Value.ValueKind != JsonValueKind.Null)
        {
            Set($"field {field.Name}", JsonWalk.Canonical(field.Value), JsonWalk.Below(parent, field.Name));
        }
    }

    public void Cache(JsonElement mark, string parent) => Set("cache mark", JsonWalk.Text(mark, "ttl") ?? "", $"{parent}/cache_control");

    /// <summary>Binary content by its address or its data.</summary>
    public void SayMedia(string speaker, string kind, string? mediaType, string data, string pointer)
    {
        const string scheme = "data:";
        int comma = data.StartsWith(scheme, StringComparison.Ordinal) ? data.IndexOf(";base64,", StringComparison.Ordinal) : -1;
        if (comma >= 0)
        {
            mediaType = data[scheme.Length..comma];
            data = data[(comma + ";base64,".Length)..];
        }

        if (kind == "document" && mediaType?.StartsWith("text/", StringComparison.Ordinal) == true)
        {
            data = Decoded(data);
        }

        Say(speaker, kind, data, pointer);
    }

    private static string Decoded(string base64)
    {
        byte[] bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out int length) ? System.Text.Encoding.UTF8.GetString(bytes, 0, length) : base64;
    }
}
