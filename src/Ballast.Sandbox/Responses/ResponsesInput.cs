using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;

namespace Ballast.Sandbox.Responses;

/// <summary>Reads and checks the items of an input, whether they are the request's own or were kept: messages, calls and their outputs, reasoning.</summary>
internal sealed class ResponsesInput(ResponsesHouse house, ResponsesState state)
{
    /// <summary>Tokens that an item costs beside its text.</summary>
    private const int ItemTokens = 4;

    private static readonly string[] s_calls = ["function_call", "custom_tool_call"];
    private static readonly string[] s_outputs = ["function_call_output", "custom_tool_call_output"];

    private readonly List<Turn> _turns = [];
    private readonly StringBuilder _system = new();
    private readonly StringBuilder _text = new();

    /// <summary>Calls, by the id that their outputs name, and whether they have one.</summary>
    private readonly Dictionary<string, (string Name, bool IsAnswered, bool IsCustom)> _calls = new(StringComparer.Ordinal);

    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private int _count;
    private int _images;
    private string? _hanging;

    public IReadOnlyList<Turn> Turns => _turns;

    public string System => _system.ToString();

    public string Text => _text.ToString();

    public int OverheadTokens => (_count * ItemTokens) + (_images * ChatContent.ImageTokens);

    public void AddInstructions(string instructions)
    {
        _system.Append(instructions).Append('\n');
        _text.Append(instructions).Append('\n');
    }

    /// <param name="item">One of the items.</param>
    /// <param name="path">Where it stands in the request.</param>
    /// <param name="isOwn">The request has brought it; what was kept has been checked.</param>
    public void Add(JsonElement item, string path, bool isOwn)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", item);
        }

        string type = ChatFields.Text(item, "type", path + ".type") ?? (ChatFields.Find(item, "role") is null ? "item_reference" : "message");
        CheckFollows(type, isOwn);
        _count++;
        string? id = ChatFields.Text(item, "id", path + ".id");
        if (id is not null)
        {
            _ids.Add(id);
        }

        switch (type)
        {
            case "message":
                AddMessage(item, path);
                break;
            case "function_call" or "custom_tool_call":
                AddCall(item, path, type == "custom_tool_call", isOwn ? id : null);
                break;
            case "function_call_output" or "custom_tool_call_output":
                AddOutput(item, path, type == "custom_tool_call_output");
                break;
            case "reasoning":
                AddReasoning(item, path, id, isOwn);
                break;
            case "compaction":
                AddCompaction(item, path, id);
                break;
            case "item_reference":
                string named = id ?? throw ChatErrors.Missing(path + ".id");
                using (JsonDocument kept = JsonDocument.Parse(state.FindItem(named) ?? throw ResponsesErrors.ItemNotKept(named)))
                {
                    Add(kept.RootElement, path, isOwn: false);
                }

                break;
            default:
                AddOther(item, type, path);
                break;
        }
    }

    /// <summary>Every call has its output, and nothing hangs in the air.</summary>
    public void CheckEnded()
    {
        CheckFollows("end", isOwn: true);
        foreach ((string id, (_, bool isAnswered, bool isCustom)) in _calls)
        {
            if (!isAnswered)
            {
                throw ResponsesErrors.Refused("input", null, $"No tool output found for {(isCustom ? "custom tool" : "function")} call {id}.");
            }
        }
    }

    // What was reasoned has to be followed by what it led to.
    private void CheckFollows(string type, bool isOwn)
    {
        if (_hanging is { } id && isOwn && !house.IsLenient && (type is "end" or "function_call_output" or "custom_tool_call_output"))
        {
            throw ResponsesErrors.Refused("input", null, $"Item '{id}' of type 'reasoning' was provided without its required following item.");
        }

        _hanging = null;
    }

    private void AddMessage(JsonElement item, string path)
    {
        string role = ChatFields.Text(item, "role", path + ".role") ?? throw ChatErrors.Missing(path + ".role");
        ResponsesContent content = ResponsesContent.Read(
            ChatFields.Find(item, "content") ?? throw ChatErrors.Missing(path + ".content"), path + ".content", role == "assistant", house);
        _images += content.Images.Count;
        _text.Append(role).Append('\n').Append(content.Text).Append('\n');
        switch (role)
        {
            case "system" or "developer":
                _system.Append(content.Text).Append('\n');
                break;
            case "user":
                _turns.Add(new Turn(TurnRole.User, content.Text) { Images = content.Images });
                break;
            case "assistant":
                _turns.Add(new Turn(TurnRole.Assistant, content.Text));
                break;
            default:
                throw ChatErrors.BadValue(
                    path + ".role", $"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.");
        }
    }

    private void AddCall(JsonElement item, string path, bool isCustom, string? ownId)
    {
        string callId = ChatFields.Text(item, "call_id", path + ".call_id") ?? throw ChatErrors.Missing(path + ".call_id");
        string name = ChatFields.Text(item, "name", path + ".name") ?? throw ChatErrors.Missing(path + ".name");
        string? group = ChatFields.Text(item, "namespace", path + ".namespace");
        string field = isCustom ? "input" : "arguments";
        string given = ChatFields.Text(item, field, $"{path}.{field}") ?? throw ChatErrors.Missing($"{path}.{field}");
        if (ownId is not null && state.PartnerOf(ownId) is { } reasoning && !_ids.Contains(reasoning))
        {
            throw ResponsesErrors.Refused(
                "input", null, $"Item '{ownId}' of type '{(isCustom ? s_calls[1] : s_calls[0])}' was provided without its required 'reasoning' item: '{reasoning}'.");
        }

        _calls[callId] = (name, false, isCustom);
        _text.Append(group).Append(name).Append(given).Append('\n');
        _turns.Add(new Turn(TurnRole.Assistant, "") { Calls = [new ToolCall(callId, name, given, isCustom) { Group = group }] });
    }

    private void AddOutput(JsonElement item, string path, bool isCustom)
    {
        string callId = ChatFields.Text(item, "call_id", path + ".call_id") ?? throw ChatErrors.Missing(path + ".call_id");
        if (!_calls.TryGetValue(callId, out (string Name, bool IsAnswered, bool IsCustom) call) || (call.IsCustom != isCustom && !house.IsLenient))
        {
            throw ResponsesErrors.Refused("input", null, $"No tool call found for {(isCustom ? "custom tool" : "function")} call output with call_id {callId}.");
        }

        ResponsesContent output = ResponsesContent.Read(
            ChatFields.Find(item, "output") ?? throw ChatErrors.Missing(path + ".output"), path + ".output", isAssistant: false, house);
        _calls[callId] = call with { IsAnswered = true };
        string text = string.Join('\n', [.. output.Images.Select(static image => image.Description), output.Text]).Trim();
        _images += output.Images.Count;
        _text.Append(text).Append('\n');
        _turns.Add(new Turn(TurnRole.Tool, "") { Results = [new ToolResult(callId, call.Name, text)] });
    }

    private void AddReasoning(JsonElement item, string path, string? id, bool isOwn)
    {
        _ = ChatFields.List(item, "summary", "an array of objects", path + ".summary") ?? throw ChatErrors.Missing(path + ".summary");
        string named = id ?? "without an id";
        string? sealedText = ChatFields.Text(item, "encrypted_content", path + ".encrypted_content");
        string? opened = sealedText is null ? null : house.Seal.Open(sealedText) ?? throw ResponsesErrors.Unverified(named);
        if (isOwn && sealedText is null && !house.IsLenient && (id is null || state.FindItem(id) is null))
        {
            throw ResponsesErrors.ItemNotKept(named);
        }

        _text.Append(opened).Append('\n');
        _hanging = named;
    }

    private void AddCompaction(JsonElement item, string path, string? id)
    {
        string sealedText = ChatFields.Text(item, "encrypted_content", path + ".encrypted_content") ?? throw ChatErrors.Missing(path + ".encrypted_content");
        string opened = house.Seal.Open(sealedText) ?? throw ResponsesErrors.Unverified(id ?? "without an id");
        _text.Append(opened).Append('\n');
        _turns.Add(new Turn(TurnRole.Assistant, opened));
    }

    /// <summary>What the platform's own tools leave in a conversation is taken back as it is.</summary>
    private void AddOther(JsonElement item, string type, string path)
    {
        bool isKnown = house.IsLenient || type.EndsWith("_call", StringComparison.Ordinal) || s_outputs.Contains(type)
            || type.EndsWith("_call_output", StringComparison.Ordinal) || type.StartsWith("mcp_", StringComparison.Ordinal);
        _text.Append(isKnown
            ? item.GetRawText()
            : throw ChatErrors.BadValue(
                path + ".type",
                $"Invalid value: '{type}'. Supported values are: 'compaction', 'custom_tool_call', 'custom_tool_call_output', 'function_call', "
                + "'function_call_output', 'item_reference', 'message', and 'reasoning'.")).Append('\n');
    }
}
