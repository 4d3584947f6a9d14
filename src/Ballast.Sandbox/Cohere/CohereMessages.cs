using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;

namespace Ballast.Sandbox.Cohere;

/// <summary>Reads and checks <c>messages</c>: roles, content, and that every call of a tool has its result.</summary>
internal sealed class CohereMessages
{
    private readonly List<Turn> _turns = [];
    private readonly StringBuilder _system = new();
    private readonly StringBuilder _input = new();
    private readonly Dictionary<string, string> _open = new(StringComparer.Ordinal);

    public IReadOnlyList<Turn> Turns => _turns;

    public string System => _system.ToString();

    public string InputText => _input.ToString();

    public int Count { get; private set; }

    public int Images { get; private set; }

    public static CohereMessages Read(JsonElement list, SandboxModel model)
    {
        CohereMessages messages = new();
        foreach (JsonElement message in list.EnumerateArray())
        {
            messages.Add(message.ValueKind == JsonValueKind.Object ? message : throw CohereErrors.Invalid("each message must be an object."), model);
        }

        messages.CheckAnswered();
        return messages;
    }

    public static string? Text(JsonElement owner, string name) => ChatFields.Find(owner, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => ChatFields.Text(value),
        _ => throw CohereErrors.Invalid($"{name} must be a string."),
    };

    private void Add(JsonElement message, SandboxModel model)
    {
        string role = Text(message, "role") ?? throw CohereErrors.Invalid("all messages must have a role.");
        List<PromptImage> images = [];
        string text = Content(message, images, model);
        Count++;
        Images += images.Count;
        _input.Append(role).Append('\n').Append(text).Append('\n');
        if (role != "tool")
        {
            CheckAnswered();
        }

        switch (role)
        {
            case "system":
                _system.Append(text).Append('\n');
                break;
            case "user":
                _turns.Add(new Turn(TurnRole.User, text) { Images = images });
                break;
            case "assistant":
                AddAssistant(message, text);
                break;
            case "tool":
                string id = Text(message, "tool_call_id") ?? throw CohereErrors.Invalid("tool messages must have a tool_call_id.");
                string name = _open.Remove(id, out string? called) ? called : throw CohereErrors.Invalid($"tool call id not found in previous tool calls: {id}");
                _turns.Add(new Turn(TurnRole.Tool, "") { Results = [new ToolResult(id, name, text)] });
                break;
            default:
                throw CohereErrors.Invalid($"unknown role: {role}. Must be one of 'user', 'assistant', 'system' and 'tool'.");
        }
    }

    private void AddAssistant(JsonElement message, string text)
    {
        List<ToolCall> calls = [];
        if (ChatFields.Find(message, "tool_calls") is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (JsonElement call in list.EnumerateArray())
            {
                string id = Text(call, "id") ?? throw CohereErrors.Invalid("tool calls must have an id.");
                JsonElement function = ChatFields.Find(call, "function") ?? throw CohereErrors.Invalid("tool calls must have a function.");
                string name = Text(function, "name") ?? throw CohereErrors.Invalid("tool calls must name their function.");
                string arguments = Text(function, "arguments") ?? "{}";
                calls.Add(new ToolCall(id, name, arguments));
                _open[id] = name;
                _input.Append(name).Append(arguments).Append('\n');
            }
        }

        if (text.Length == 0 && calls.Count == 0 && ChatFields.Find(message, "content") is null)
        {
            throw CohereErrors.Invalid("assistant messages must have content or tool_calls.");
        }

        _input.Append(Text(message, "tool_plan"));
        _turns.Add(new Turn(TurnRole.Assistant, text) { Calls = calls });
    }

    private void CheckAnswered()
    {
        if (_open.Count > 0)
        {
            throw CohereErrors.Invalid($"all tool calls must be followed by tool results; missing: {string.Join(", ", _open.Keys)}");
        }
    }

    private static string Content(JsonElement message, List<PromptImage> images, SandboxModel model) => ChatFields.Find(message, "content") switch
    {
        null => "",
        { ValueKind: JsonValueKind.String } text => ChatFields.Text(text),
        { ValueKind: JsonValueKind.Array } parts => string.Join('\n', parts.EnumerateArray().Select(part => Part(part, images, model)).OfType<string>()),
        _ => throw CohereErrors.Invalid("content must be a string or an array of content blocks."),
    };

    private static string? Part(JsonElement part, List<PromptImage> images, SandboxModel model)
    {
        string type = part.ValueKind == JsonValueKind.Object ? Text(part, "type") ?? "" : "";
        switch (type)
        {
            case "text":
                return Text(part, "text") ?? throw CohereErrors.Invalid("text content must have text.");
            case "thinking":
                return null;
            case "document":
                return ChatFields.Find(part, "document") is { } document ? document.GetRawText() : throw CohereErrors.Invalid("document content must have a document.");
            case "image_url" when !model.Images:
                throw CohereErrors.Invalid($"model '{model.Name}' does not support image inputs.");
            case "image_url":
                string url = ChatFields.Find(part, "image_url") is { ValueKind: JsonValueKind.Object } holder && Text(holder, "url") is { } given
                    ? given
                    : throw CohereErrors.Invalid("image_url content must have an image_url with a url.");
                images.Add(Image(url));
                return null;
            default:
                throw CohereErrors.Invalid($"unknown content type: {type}");
        }
    }

    private static PromptImage Image(string url)
    {
        int comma = url.IndexOf(";base64,", StringComparison.Ordinal);
        if (!url.StartsWith("data:image/", StringComparison.Ordinal) || comma < 0)
        {
            return Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"
                ? PromptImage.ByAddress
                : throw CohereErrors.Invalid("image_url.url must be a web address or a data URL.");
        }

        string data = url[(comma + 8)..];
        byte[] bytes = new byte[(data.Length / 4 * 3) + 3];
        return Convert.TryFromBase64String(data, bytes, out int length) && PromptImage.Recognise(bytes.AsSpan(0, length)) is { } image
            ? image
            : throw CohereErrors.Invalid("the image could not be read.");
    }
}
