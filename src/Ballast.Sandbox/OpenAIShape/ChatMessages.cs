using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Reads and checks <c>messages</c>: roles, content, and that every tool call is answered by tool messages.</summary>
internal sealed class ChatMessages
{
    /// <summary>Tokens that a message costs beside its text.</summary>
    private const int MessageTokens = 4;

    private const string Roles = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'";

    private readonly List<Turn> _turns = [];
    private readonly StringBuilder _system = new();
    private readonly StringBuilder _input = new();
    private readonly StringBuilder _allText = new();

    /// <summary>Calls that wait for their tool message: id to tool name.</summary>
    private readonly Dictionary<string, string> _open = new(StringComparer.Ordinal);

    private int _images;
    private int _count;
    private int _assistantIndex;

    public IReadOnlyList<Turn> Turns => _turns;

    public string System => _system.ToString();

    public string InputText => _input.ToString();

    public string AllText => _allText.ToString();

    public int OverheadTokens => (_count * MessageTokens) + (_images * ChatContent.ImageTokens);

    public static ChatMessages Read(JsonElement list, bool isLenient)
    {
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw ChatErrors.WrongType("messages", "an array of objects", list);
        }

        if (list.GetArrayLength() == 0)
        {
            throw ChatErrors.Refused(
                "messages",
                "empty_array",
                "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.");
        }

        ChatMessages messages = new();
        int index = 0;
        foreach (JsonElement message in list.EnumerateArray())
        {
            messages.Add(message, index++, isLenient);
        }

        messages.CheckAnswered();
        return messages;
    }

    private void Add(JsonElement message, int index, bool isLenient)
    {
        string path = $"messages[{index}]";
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", message);
        }

        string role = ChatFields.Text(message, "role", path + ".role") ?? throw ChatErrors.Missing(path + ".role");
        if (role is not ("tool" or "function"))
        {
            CheckAnswered();
        }

        ChatContent content = ChatContent.Read(message, role, path, isLenient);
        _count++;
        _images += content.Images.Count;
        _input.Append(role).Append('\n').Append(content.Text).Append('\n');
        _allText.Append(content.Text).Append('\n');
        switch (role)
        {
            case "system" or "developer":
                _system.Append(content.Text).Append('\n');
                break;
            case "user":
                _turns.Add(new Turn(TurnRole.User, content.Text) { Images = content.Images });
                break;
            case "assistant":
                AddAssistant(message, content.Text, path, index);
                break;
            case "tool":
                AddToolResult(message, content.Text, path, index, isLenient);
                break;
            case "function":
                string function = ChatFields.Text(message, "name", path + ".name") ?? throw ChatErrors.Missing(path + ".name");
                _turns.Add(new Turn(TurnRole.Tool, "") { Results = [new ToolResult("", function, content.Text)] });
                break;
            default:
                throw ChatErrors.BadValue(path + ".role", $"Invalid value: '{role}'. Supported values are: {Roles}.");
        }
    }

    private void AddAssistant(JsonElement message, string text, string path, int index)
    {
        List<ToolCall> calls = [];
        if (ChatFields.List(message, "tool_calls", "an array of objects", path + ".tool_calls") is { } list)
        {
            int at = 0;
            foreach (JsonElement call in list.EnumerateArray())
            {
                calls.Add(ReadCall(call, $"{path}.tool_calls[{at++}]"));
            }

            _assistantIndex = index;
        }

        foreach (ToolCall call in calls)
        {
            _open[call.Id] = call.Name;
            _input.Append(call.Name).Append(call.Arguments).Append('\n');
        }

        if (ChatFields.Object(message, "function_call", path + ".function_call") is { } legacy)
        {
            _input.Append(legacy.GetRawText());
        }

        _turns.Add(new Turn(TurnRole.Assistant, text) { Calls = calls });
    }

    private static ToolCall ReadCall(JsonElement call, string path)
    {
        if (call.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", call);
        }

        string id = ChatFields.Text(call, "id", path + ".id") ?? throw ChatErrors.Missing(path + ".id");
        bool isCustom = ChatFields.Text(call, "type", path + ".type") == "custom";
        string kind = isCustom ? "custom" : "function";
        JsonElement function = ChatFields.Object(call, kind, $"{path}.{kind}") ?? throw ChatErrors.Missing($"{path}.{kind}");
        string name = ChatFields.Text(function, "name", $"{path}.{kind}.name") ?? throw ChatErrors.Missing($"{path}.{kind}.name");
        string field = isCustom ? "input" : "arguments";
        string arguments = ChatFields.Text(function, field, $"{path}.{kind}.{field}") ?? "";
        return new ToolCall(id, name, arguments, isCustom);
    }

    private void AddToolResult(JsonElement message, string text, string path, int index, bool isLenient)
    {
        string id = ChatFields.Text(message, "tool_call_id", path + ".tool_call_id") ?? throw ChatErrors.Missing(path + ".tool_call_id");
        bool follows = _turns.Count > 0 && (_turns[^1].Role == TurnRole.Tool || _turns[^1].Calls.Count > 0);
        if (!follows)
        {
            throw ChatErrors.Refused(
                $"messages.[{index}].role",
                null,
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.");
        }

        if (isLenient && _open.Count > 0 && !_open.ContainsKey(id))
        {
            id = _open.Keys.First(); // a recorder, or the hand that wrote the history, has given the result another id
        }

        if (!_open.Remove(id, out string? name))
        {
            name = _turns.SelectMany(turn => turn.Calls).LastOrDefault(call => call.Id == id)?.Name
                ?? throw ChatErrors.Refused(
                    $"messages.[{index}].tool_call_id",
                    null,
                    $"Invalid parameter: 'tool_call_id' of '{id}' not found in 'tool_calls' of previous message.");
        }

        _turns.Add(new Turn(TurnRole.Tool, "") { Results = [new ToolResult(id, name, text)] });
    }

    private void CheckAnswered()
    {
        if (_open.Count > 0)
        {
            throw ChatErrors.Refused(
                $"messages.[{_assistantIndex + 1}].role",
                null,
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
                + $"The following tool_call_ids did not have response messages: {string.Join(", ", _open.Keys)}");
        }
    }
}
