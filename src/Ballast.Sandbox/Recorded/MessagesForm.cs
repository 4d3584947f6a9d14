using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>The form of a Messages answer.</summary>
internal static class MessagesForm
{
    private static readonly string[] StopReasons =
        ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"];

    public static void CheckMessage(JsonElement root, FormFaults faults)
    {
        CheckHead(root, "", faults);
        faults.Require(JsonWalk.Get(root, "content") is { ValueKind: JsonValueKind.Array }, "/content", "is no list");
        bool hasCalls = false;
        int index = 0;
        HashSet<string> ids = [];
        foreach (JsonElement block in JsonWalk.Items(JsonWalk.Get(root, "content")))
        {
            string at = JsonWalk.Below("/content", index++);
            CheckBlock(block, at, faults);
            if (JsonWalk.Text(block, "type") == "tool_use")
            {
                hasCalls = true;
                faults.Require(ids.Add(JsonWalk.Text(block, "id") ?? ""), $"{at}/id", "is given twice");
            }
        }

        CheckStop(root, hasCalls, "", faults);
        CheckUsage(JsonWalk.Get(root, "usage"), isWhole: true, faults);
    }

    public static void CheckHead(JsonElement message, string at, FormFaults faults)
    {
        faults.Require(JsonWalk.Text(message, "id")?.StartsWith("msg_", StringComparison.Ordinal) == true, $"{at}/id", "does not begin with msg_");
        faults.RequireWord(message, "type", at, "message");
        faults.RequireWord(message, "role", at, "assistant");
        faults.RequireText(message, "model", at);
    }

    public static void CheckStop(JsonElement holder, bool hasCalls, string at, FormFaults faults)
    {
        string? reason = JsonWalk.Text(holder, "stop_reason");
        faults.Require(reason is not null && StopReasons.Contains(reason), $"{at}/stop_reason", $"is {reason ?? "missing"}");
        faults.Require(reason != "tool_use" || hasCalls, $"{at}/stop_reason", "names calls that are not there");
        faults.Require(reason != "end_turn" || !hasCalls, $"{at}/stop_reason", "is end_turn, but there are calls");
        faults.Require(holder.TryGetProperty("stop_sequence", out JsonElement sequence) && sequence.ValueKind is JsonValueKind.Null or JsonValueKind.String, $"{at}/stop_sequence", "is neither text nor null");
    }

    public static void CheckUsage(JsonElement? usage, bool isWhole, FormFaults faults)
    {
        if (usage is not { ValueKind: JsonValueKind.Object } counts)
        {
            faults.Add("/usage", "is missing");
            return;
        }

        faults.RequireCount(counts, "output_tokens", "/usage");
        if (isWhole)
        {
            faults.RequireCount(counts, "input_tokens", "/usage");
        }
    }

    public static void CheckBlock(JsonElement block, string at, FormFaults faults)
    {
        switch (JsonWalk.Text(block, "type"))
        {
            case "text":
                faults.Require(JsonWalk.Get(block, "text") is { ValueKind: JsonValueKind.String }, $"{at}/text", "is no text");
                int index = 0;
                foreach (JsonElement citation in JsonWalk.Items(JsonWalk.Get(block, "citations")))
                {
                    CheckCitation(citation, JsonWalk.Below($"{at}/citations", index++), faults);
                }

                break;
            case "thinking":
                faults.Require(JsonWalk.Get(block, "thinking") is { ValueKind: JsonValueKind.String }, $"{at}/thinking", "is no text");
                faults.Require(JsonWalk.Get(block, "signature") is { ValueKind: JsonValueKind.String }, $"{at}/signature", "is no text");
                break;
            case "redacted_thinking":
                faults.RequireText(block, "data", at);
                break;
            case "tool_use":
                faults.Require(JsonWalk.Text(block, "id") is { Length: > 0 } id && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'), $"{at}/id", "is missing or holds other characters");
                faults.RequireText(block, "name", at);
                faults.Require(JsonWalk.Get(block, "input") is { ValueKind: JsonValueKind.Object }, $"{at}/input", "is no object");
                break;
            default:
                faults.Add($"{at}/type", $"is {JsonWalk.Text(block, "type") ?? "missing"}");
                break;
        }
    }

    public static void CheckCitation(JsonElement citation, string at, FormFaults faults)
    {
        faults.RequireWord(citation, "type", at, "char_location", "page_location", "content_block_location", "web_search_result_location", "search_result_location");
        faults.Require(JsonWalk.Get(citation, "cited_text") is { ValueKind: JsonValueKind.String }, $"{at}/cited_text", "is no text");
        if (JsonWalk.Text(citation, "type") == "web_search_result_location")
        {
            faults.RequireText(citation, "url", at);
        }
    }
}

/// <summary>The form of a streamed Messages answer: one block after the other, every one closed, the end told once.</summary>
internal sealed class MessagesStreamForm(FormFaults faults)
{
    private readonly StringBuilder _arguments = new();
    private readonly HashSet<string> _ids = [];
    private string? _open;
    private long _index;
    private bool _hasCalls;
    private bool _isSigned;
    private bool _isCallCut;
    private string _stage = "";

    public void Check(List<EventText> events)
    {
        foreach (EventText frame in events)
        {
            using JsonDocument? document = JsonWalk.TryParse(frame.Data);
            if (document is null)
            {
                faults.Add("", "an event is no JSON");
                continue;
            }

            string type = JsonWalk.Text(document.RootElement, "type") ?? "";
            faults.Require(type == frame.Name, "/type", $"is {type}, the event is named {frame.Name}");
            CheckEvent(type, document.RootElement);
        }

        faults.Require(_stage == "message_stop", "", "the stream does not end with message_stop");
    }

    private void CheckEvent(string type, JsonElement data)
    {
        switch (type)
        {
            case "message_start":
                faults.Require(_stage == "", "", "message_start is not the first event");
                JsonElement message = JsonWalk.Get(data, "message") ?? default;
                MessagesForm.CheckHead(message, "/message", faults);
                MessagesForm.CheckUsage(JsonWalk.Get(message, "usage"), isWhole: true, faults);
                break;
            case "content_block_start":
                Begin(data);
                break;
            case "content_block_delta":
                faults.Require(_open is not null && JsonWalk.Count(data, "index") == _index, "/index", "a delta belongs to no open block");
                CheckDelta(JsonWalk.Get(data, "delta") ?? default);
                break;
            case "content_block_stop":
                faults.Require(_open is not null && JsonWalk.Count(data, "index") == _index, "/index", "a block is closed that is not open");
                Close();
                break;
            case "message_delta":
                faults.Require(_open is null && _stage is not ("" or "message_delta" or "message_stop"), "", "message_delta is out of place");
                MessagesForm.CheckStop(JsonWalk.Get(data, "delta") ?? default, _hasCalls, "/delta", faults);
                // A call that the limit cut off is the last one, and cut off.
                bool isCutByLimit = JsonWalk.Get(data, "delta") is { } end && JsonWalk.Text(end, "stop_reason") == "max_tokens";
                faults.Require(!_isCallCut || isCutByLimit, "/delta/partial_json", "does not join to an object");
                MessagesForm.CheckUsage(JsonWalk.Get(data, "usage"), isWhole: false, faults);
                break;
            case "message_stop":
                faults.Require(_stage == "message_delta", "", "message_stop does not follow message_delta");
                break;
            case "ping":
                return;
            default:
                faults.Add("/type", $"{type} is no event of an answer");
                break;
        }

        _stage = type;
    }

    private void Begin(JsonElement data)
    {
        faults.Require(_open is null && _stage is not ("" or "message_delta" or "message_stop"), "", "a block begins where none may");
        faults.Require(JsonWalk.Count(data, "index") == _index, "/index", "is not the next one");
        JsonElement block = JsonWalk.Get(data, "content_block") ?? default;
        MessagesForm.CheckBlock(block, "/content_block", faults);
        _open = JsonWalk.Text(block, "type") ?? "";
        if (_open == "tool_use")
        {
            _hasCalls = true;
            faults.Require(_ids.Add(JsonWalk.Text(block, "id") ?? ""), "/content_block/id", "is given twice");
        }

        _arguments.Clear();
        _isSigned = false;
    }

    private void CheckDelta(JsonElement delta)
    {
        string type = JsonWalk.Text(delta, "type") ?? "";
        bool fits = (type, _open) is ("text_delta" or "citations_delta", "text") or ("thinking_delta" or "signature_delta", "thinking") or ("input_json_delta", "tool_use");
        faults.Require(fits, "/delta/type", $"{type} does not fit a block of {_open}");
        faults.Require(!_isSigned, "/delta", "comes after the signature");
        _isSigned = type == "signature_delta";
        if (type == "input_json_delta")
        {
            _arguments.Append(JsonWalk.Text(delta, "partial_json"));
        }
        else if (type == "citations_delta")
        {
            MessagesForm.CheckCitation(JsonWalk.Get(delta, "citation") ?? default, "/delta/citation", faults);
        }
    }

    private void Close()
    {
        if (_open == "tool_use")
        {
            faults.Require(!_isCallCut, "/delta/partial_json", "of an earlier call does not join to an object");
            using JsonDocument? document = JsonWalk.TryParse(_arguments.Length == 0 ? "{}" : _arguments.ToString());
            _isCallCut = document?.RootElement.ValueKind != JsonValueKind.Object;
        }

        faults.Require(_open != "thinking" || _isSigned, "/content_block", "thinking ends without a signature");
        _open = null;
        _index++;
    }
}
