using System.Text;
using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>The form of a Chat Completions answer.</summary>
internal static class ChatForm
{
    private static readonly string[] FinishReasons = ["stop", "length", "tool_calls", "content_filter"];

    public static void CheckCompletion(JsonElement root, FormFaults faults)
    {
        CheckEnvelope(root, "chat.completion", faults);
        JsonElement[] choices = [.. JsonWalk.Items(JsonWalk.Get(root, "choices"))];
        faults.Require(choices.Length > 0, "/choices", "is empty");
        for (int i = 0; i < choices.Length; i++)
        {
            CheckChoice(choices[i], JsonWalk.Below("/choices", i), faults);
        }

        if (JsonWalk.Get(root, "usage") is { } usage)
        {
            CheckUsage(usage, faults);
        }
    }

    public static void CheckEnvelope(JsonElement root, string kind, FormFaults faults)
    {
        faults.RequireText(root, "id", "");
        faults.RequireText(root, "model", "");
        faults.RequireWord(root, "object", "", kind);
        faults.RequireCount(root, "created", "");
    }

    public static void CheckUsage(JsonElement usage, FormFaults faults)
    {
        faults.RequireCount(usage, "prompt_tokens", "/usage");
        faults.RequireCount(usage, "completion_tokens", "/usage");
        faults.RequireCount(usage, "total_tokens", "/usage");
        long prompt = JsonWalk.Count(usage, "prompt_tokens") ?? 0;
        long completion = JsonWalk.Count(usage, "completion_tokens") ?? 0;
        faults.Require(JsonWalk.Count(usage, "total_tokens") == prompt + completion, "/usage/total_tokens", "is not the sum");
        long cached = JsonWalk.Get(usage, "prompt_tokens_details") is { } details ? JsonWalk.Count(details, "cached_tokens") ?? 0 : 0;
        faults.Require(cached <= prompt, "/usage/prompt_tokens_details/cached_tokens", "exceeds the prompt");
        long reasoning = JsonWalk.Get(usage, "completion_tokens_details") is { } of ? JsonWalk.Count(of, "reasoning_tokens") ?? 0 : 0;
        faults.Require(reasoning <= completion, "/usage/completion_tokens_details/reasoning_tokens", "exceeds the completion");
    }

    public static void CheckFinish(string? finish, bool hasCalls, string at, FormFaults faults)
    {
        faults.Require(finish is not null && FinishReasons.Contains(finish), $"{at}/finish_reason", $"is {finish ?? "missing"}");
        faults.Require(finish != "tool_calls" || hasCalls, $"{at}/finish_reason", "names calls that are not there");
        faults.Require(finish != "stop" || !hasCalls, $"{at}/finish_reason", "is stop, but there are calls");
    }

    public static void CheckArguments(string arguments, string at, FormFaults faults)
    {
        using JsonDocument? document = JsonWalk.TryParse(arguments);
        faults.Require(document is not null, $"{at}/function/arguments", "are no JSON");
    }

    /// <summary>What a call or a piece of one is of: a function, or a tool of free text.</summary>
    public static string KindOf(JsonElement call) =>
        JsonWalk.Get(call, "custom") is not null && (JsonWalk.Text(call, "type") ?? (JsonWalk.Get(call, "function") is null ? "custom" : "function")) == "custom" ? "custom" : "function";

    private static void CheckChoice(JsonElement choice, string at, FormFaults faults)
    {
        faults.RequireCount(choice, "index", at);
        if (JsonWalk.Get(choice, "message") is not { ValueKind: JsonValueKind.Object } message)
        {
            faults.Add($"{at}/message", "is no object");
            return;
        }

        string here = $"{at}/message";
        faults.RequireWord(message, "role", here, "assistant");
        faults.Require(message.TryGetProperty("content", out JsonElement content) && content.ValueKind is JsonValueKind.String or JsonValueKind.Null, $"{here}/content", "is neither text nor null");
        int index = 0;
        HashSet<string> ids = [];
        foreach (JsonElement call in JsonWalk.Items(JsonWalk.Get(message, "tool_calls")))
        {
            string place = JsonWalk.Below($"{here}/tool_calls", index++);
            faults.RequireText(call, "id", place);
            string kind = KindOf(call);
            faults.RequireWord(call, "type", place, kind);
            faults.Require(ids.Add(JsonWalk.Text(call, "id") ?? ""), $"{place}/id", "is given twice");
            JsonElement called = JsonWalk.Get(call, kind) ?? default;
            faults.Require(called.ValueKind == JsonValueKind.Object && !string.IsNullOrEmpty(JsonWalk.Text(called, "name")), $"{place}/{kind}/name", "is missing");
            if (kind == "custom")
            {
                faults.Require(JsonWalk.Text(called, "input") is not null, $"{place}/custom/input", "is no text");
            }
            else if (JsonWalk.Text(choice, "finish_reason") != "length")
            {
                CheckArguments(JsonWalk.Text(called, "arguments") ?? "", place, faults);
            }
        }

        faults.Require(JsonWalk.Get(message, "tool_calls") is null || index > 0, $"{here}/tool_calls", "is empty");
        CheckFinish(JsonWalk.Text(choice, "finish_reason"), index > 0, at, faults);
    }
}

/// <summary>The form of a streamed Chat Completions answer.</summary>
internal sealed class ChatStreamForm(FormFaults faults)
{
    private readonly Dictionary<long, StringBuilder> _arguments = [];
    private readonly HashSet<long> _freeText = [];
    private readonly HashSet<string> _ids = [];
    private string? _id;
    private bool _hasRole;
    private string? _finish;
    private bool _hasUsage;

    public void Check(List<EventText> events)
    {
        faults.Require(events.Count > 0 && events[^1].Data == "[DONE]", "", "the stream does not end with [DONE]");
        foreach (EventText frame in events.Where(frame => frame.Data != "[DONE]"))
        {
            using JsonDocument? document = JsonWalk.TryParse(frame.Data);
            if (document is null)
            {
                faults.Add("", "an event is no JSON");
                continue;
            }

            CheckChunk(document.RootElement);
        }

        faults.Require(events.Count(frame => frame.Data == "[DONE]") == 1, "", "[DONE] does not come once");
        ChatForm.CheckFinish(_finish, _arguments.Count > 0, "/choices/0", faults);
        foreach ((long index, StringBuilder arguments) in _arguments)
        {
            // A call that the limit cut off is the last one, and cut off.
            if (!_freeText.Contains(index) && (_finish != "length" || index < _arguments.Count - 1))
            {
                ChatForm.CheckArguments(arguments.ToString(), $"/choices/0/delta/tool_calls/{index}", faults);
            }
        }
    }

    private void CheckChunk(JsonElement chunk)
    {
        ChatForm.CheckEnvelope(chunk, "chat.completion.chunk", faults);
        string? id = JsonWalk.Text(chunk, "id");
        faults.Require(_id is null || id == _id, "/id", "changes");
        _id ??= id;
        faults.Require(!_hasUsage, "/usage", "is not in the last chunk");
        JsonElement[] choices = [.. JsonWalk.Items(JsonWalk.Get(chunk, "choices"))];
        if (JsonWalk.Get(chunk, "usage") is { } usage)
        {
            _hasUsage = true;
            faults.Require(choices.Length == 0, "/choices", "is not empty beside usage");
            ChatForm.CheckUsage(usage, faults);
            return;
        }

        faults.Require(choices.Length == 1, "/choices", "does not hold one choice");
        foreach (JsonElement choice in choices)
        {
            CheckChoice(choice);
        }
    }

    private void CheckChoice(JsonElement choice)
    {
        faults.RequireCount(choice, "index", "/choices/0");
        faults.Require(_finish is null, "/choices/0", "goes on after its finish reason");
        JsonElement delta = JsonWalk.Get(choice, "delta") ?? default;
        faults.Require(delta.ValueKind == JsonValueKind.Object, "/choices/0/delta", "is no object");
        faults.Require(_hasRole || JsonWalk.Text(delta, "role") == "assistant", "/choices/0/delta/role", "is missing in the first chunk");
        _hasRole = true;
        foreach (JsonElement call in JsonWalk.Items(JsonWalk.Get(delta, "tool_calls")))
        {
            CheckCall(call);
        }

        _finish = JsonWalk.Text(choice, "finish_reason");
    }

    private void CheckCall(JsonElement call)
    {
        const string at = "/choices/0/delta/tool_calls/0";
        faults.RequireCount(call, "index", at);
        long index = JsonWalk.Count(call, "index") ?? -1;
        string kind = ChatForm.KindOf(call);
        JsonElement called = JsonWalk.Get(call, kind) ?? default;
        if (!_arguments.TryGetValue(index, out StringBuilder? arguments))
        {
            faults.Require(index == _arguments.Count, $"{at}/index", "leaves a gap");
            faults.RequireText(call, "id", at);
            faults.Require(_ids.Add(JsonWalk.Text(call, "id") ?? ""), $"{at}/id", "is given twice");
            faults.RequireWord(call, "type", at, kind);
            faults.Require(called.ValueKind == JsonValueKind.Object && !string.IsNullOrEmpty(JsonWalk.Text(called, "name")), $"{at}/{kind}/name", "is missing");
            if (kind == "custom")
            {
                _freeText.Add(index);
            }

            _arguments[index] = arguments = new StringBuilder();
        }
        else
        {
            faults.Require(JsonWalk.Get(call, "id") is null && JsonWalk.Get(called, "name") is null, at, "is named again");
            faults.Require(_freeText.Contains(index) == (kind == "custom"), at, "is of another kind than it began");
        }

        arguments.Append(JsonWalk.Text(called, kind == "custom" ? "input" : "arguments"));
    }
}
