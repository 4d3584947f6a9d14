using System.Text.Json;

namespace Ballast.Sandbox.Recorded;

/// <summary>Reads what a Chat Completions answer says, the dialects of servers that speak this protocol included.</summary>
internal sealed class ChatAnswerFacts
{
    private const string Choice = "/choices/0";
    private const string Message = $"{Choice}/message";

    private readonly AnswerFacts _facts = new() { TextPointer = $"{Message}/content", FinishPointer = $"{Choice}/finish_reason" };
    private readonly Dictionary<string, CallFact> _calls = new(StringComparer.Ordinal);
    private int _citations;
    private int _details;
    private bool _isWhole;
    private CallFact? _last;
    private bool _isDone;
    private bool _isRefusal;

    public static AnswerFacts ReadWhole(ReadOnlyMemory<byte> body)
    {
        ChatAnswerFacts reader = new() { _isWhole = true };
        using JsonDocument? document = JsonWalk.TryParse(body);
        if (document is null || document.RootElement.ValueKind != JsonValueKind.Object)
        {
            reader._facts.IsError = true;
            return reader._facts;
        }

        reader.ReadObject(document.RootElement);
        reader._facts.IsError |= JsonWalk.Get(document.RootElement, "choices") is null;
        reader._facts.IsComplete = !reader._facts.IsError;
        reader.End();
        return reader._facts;
    }

    public static AnswerFacts ReadStream(ReadOnlyMemory<byte> body)
    {
        ChatAnswerFacts reader = new();
        foreach (EventText frame in EventStreamText.Split(body.Span))
        {
            string data = frame.Data.Trim();
            if (reader._isDone || reader._facts.IsError)
            {
                break;
            }

            if (data == "[DONE]")
            {
                reader._isDone = true;
            }
            else if (frame.Name == "error")
            {
                reader._facts.IsError = true;
            }
            else if (data.Length > 0)
            {
                reader.ReadFrame(data);
            }
        }

        AnswerFacts facts = reader._facts;
        facts.IsComplete = !facts.IsError && (facts.Finish is not null || (reader._isDone && (facts.Text.Length > 0 || facts.Calls.Count > 0)));
        reader.End();
        return facts;
    }

    private void ReadFrame(string data)
    {
        using JsonDocument? document = JsonWalk.TryParse(data);
        if (document is null || document.RootElement.ValueKind != JsonValueKind.Object)
        {
            _facts.IsError = true;
            return;
        }

        ReadObject(document.RootElement);
    }

    /// <summary>Calls count as the reason for the end whatever word a server used, and silence about the reason as an ordinary end.</summary>
    private void End()
    {
        if (_facts.IsComplete)
        {
            _facts.Finish = _facts.Finish is null or "stop" ? _isRefusal ? "content_filter" : _facts.Calls.Count > 0 ? "tool_calls" : "stop" : _facts.Finish;
        }
    }

    private void ReadObject(JsonElement root)
    {
        foreach (JsonProperty field in root.EnumerateObject())
        {
            switch (field.Name)
            {
                case "id" or "created":
                    break;
                case "object":
                    _facts.IsError |= field.Value.ValueKind == JsonValueKind.String && field.Value.ValueEquals("error");
                    break;
                case "model":
                    _facts.Model ??= field.Value.ValueKind == JsonValueKind.String && !field.Value.ValueEquals("") ? JsonWalk.TextOf(field.Value) : null;
                    break;
                case "error":
                    _facts.IsError |= !JsonWalk.SaysNothing(field.Value) && field.Value.ValueKind != JsonValueKind.False;
                    break;
                case "choices":
                    foreach (JsonElement choice in JsonWalk.Items(field.Value))
                    {
                        ReadChoice(choice);
                    }

                    break;
                case "service_tier":
                    _facts.TellTier("/service_tier", field.Value);
                    break;
                case "usage" when field.Value.ValueKind == JsonValueKind.Object:
                    ReadUsage(field.Value, "/usage");
                    break;
                case "obfuscation" or "p" when IsPadding(field):
                    break;
                default:
                    Other(field, "");
                    break;
            }
        }

        // Groq's early form: the only usage of its streams.
        if (_facts.Tokens is null && JsonWalk.Get(root, "x_groq") is { } groq && JsonWalk.Get(groq, "usage") is { } usage)
        {
            ReadUsage(usage, null);
        }
    }

    private void ReadChoice(JsonElement choice)
    {
        long index = JsonWalk.Count(choice, "index") ?? 0;
        if (index > 0)
        {
            _facts.Others[$"/choices/{index}"] = "";
            return;
        }

        foreach (JsonProperty field in JsonWalk.Fields(choice))
        {
            switch (field.Name)
            {
                case "index":
                    break;
                case "message" when _isWhole:
                case "delta" when !_isWhole:
                    ReadMessage(field.Value);
                    break;
                // Some servers repeat beside each piece the message so far.
                case "message" or "delta":
                    break;
                case "finish_reason":
                    ReadFinish(field.Value);
                    break;
                default:
                    Other(field, Choice);
                    break;
            }
        }
    }

    private void ReadFinish(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String && !value.ValueEquals(""))
        {
            string word = JsonWalk.TextOf(value);
            _facts.IsError |= word == "error";
            _facts.Finish = word switch
            {
                "eos" or "eos_token" or "end_turn" or "stop_sequence" or "completed" or "done" or "STOP" => "stop",
                "max_tokens" or "model_length" or "max_output_tokens" or "MAX_TOKENS" => "length",
                "function_call" or "tool_use" or "tool_call" => "tool_calls",
                "content_filtered" or "safety" or "SAFETY" or "refusal" => "content_filter",
                _ => word,
            };
        }
    }

    private void ReadMessage(JsonElement message)
    {
        bool hasDetailText = false;
        if (JsonWalk.Get(message, "reasoning_details") is { ValueKind: JsonValueKind.Array } details)
        {
            hasDetailText = ReadDetails(details);
        }

        bool hasReasoning = false;
        foreach (JsonProperty field in JsonWalk.Fields(message).OrderBy(field => field.Name == "reasoning_content" ? 0 : 1))
        {
            switch (field.Name)
            {
                case "role" or "reasoning_details":
                    break;
                case "content":
                    ReadContent(field.Value);
                    break;
                case "refusal" when field.Value.ValueKind == JsonValueKind.String:
                    _facts.Text.Append(JsonWalk.TextOf(field.Value));
                    _isRefusal |= !field.Value.ValueEquals("");
                    break;
                case "reasoning_content" or "reasoning" when field.Value.ValueKind == JsonValueKind.String:
                    if (!hasDetailText && !hasReasoning && !field.Value.ValueEquals(""))
                    {
                        hasReasoning = true;
                        _facts.ThinkingPointer = $"{Message}/{field.Name}";
                        _facts.Thinking.Append(JsonWalk.TextOf(field.Value));
                    }

                    break;
                case "tool_calls" when field.Value.ValueKind == JsonValueKind.Array:
                    int position = 0;
                    foreach (JsonElement call in field.Value.EnumerateArray())
                    {
                        ReadCall(call, position++);
                    }

                    break;
                case "function_call" when field.Value.ValueKind == JsonValueKind.Object:
                    if (JsonWalk.SaysNothing(field.Value))
                    {
                        break;
                    }

                    ReadFunction(Call("function_call", $"{Message}/function_call"), field.Value);
                    break;
                case "annotations" when field.Value.ValueKind == JsonValueKind.Array:
                    ReadAnnotations(field.Value);
                    break;
                default:
                    Other(field, Message);
                    break;
            }
        }
    }

    /// <summary>True where the details hold the reasoning's text, which the plain field then only repeats.</summary>
    private bool ReadDetails(JsonElement details)
    {
        bool hasText = false;
        bool isMarked = details.GetRawText().Contains("ballast-thinking:", StringComparison.Ordinal);
        foreach (JsonElement detail in details.EnumerateArray())
        {
            string at = JsonWalk.Below($"{Message}/reasoning_details", _details++);
            if (JsonWalk.Text(detail, "signature") is { Length: > 0 } signature)
            {
                _facts.Signatures.Add((signature, at));
            }

            if (JsonWalk.Text(detail, "data") is { Length: > 0 } data)
            {
                _facts.Redacted.Add((data, at));
            }

            string? text = JsonWalk.Text(detail, "text") ?? JsonWalk.Text(detail, "summary");
            if (!string.IsNullOrEmpty(text) && (_isWhole || !isMarked))
            {
                hasText = true;
                _facts.ThinkingPointer = at;
                _facts.Thinking.Append(text);
            }
        }

        return hasText;
    }

    private void ReadContent(JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            _facts.Text.Append(JsonWalk.TextOf(content));
            return;
        }

        int index = 0;
        foreach (JsonElement part in JsonWalk.Items(content))
        {
            string at = JsonWalk.Below($"{Message}/content", index++);
            foreach (JsonProperty field in JsonWalk.Fields(part))
            {
                switch (field.Name)
                {
                    case "type" or "closed":
                        break;
                    case "text" when field.Value.ValueKind == JsonValueKind.String:
                        _facts.Text.Append(JsonWalk.TextOf(field.Value));
                        break;
                    case "thinking":
                        _facts.ThinkingPointer = at;
                        _facts.Thinking.Append(field.Value.ValueKind == JsonValueKind.String
                            ? JsonWalk.TextOf(field.Value)
                            : string.Concat(JsonWalk.Items(field.Value).Select(piece => JsonWalk.Text(piece, "text"))));
                        break;
                    default:
                        Other(field, at);
                        break;
                }
            }
        }
    }

    private void ReadCall(JsonElement call, int position)
    {
        string? id = JsonWalk.Text(call, "id");
        long? index = _isWhole ? position : JsonWalk.Count(call, "index");
        string kind = ChatForm.KindOf(call);
        JsonElement function = JsonWalk.Get(call, kind) ?? default;
        bool hasName = function.ValueKind == JsonValueKind.Object && !string.IsNullOrEmpty(JsonWalk.Text(function, "name"));
        CallFact fact;
        if (index is { } number)
        {
            string key = $"i{number}";
            bool isOther = _calls.TryGetValue(key, out CallFact? known) && hasName && known.Name.Length > 0 && !string.IsNullOrEmpty(id) && known.Id != id;
            fact = Call(isOther ? $"i{number} {id}" : key, JsonWalk.Below($"{Message}/tool_calls", _facts.Calls.Count));
        }
        else
        {
            fact = _last is not null && string.IsNullOrEmpty(id) && !hasName
                ? _last : Call($"d{id}{(string.IsNullOrEmpty(id) ? _calls.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) : "")}", JsonWalk.Below($"{Message}/tool_calls", _facts.Calls.Count));
        }

        fact.Id = fact.Id.Length == 0 ? id ?? "" : fact.Id;
        fact.IsFreeText |= kind == "custom";
        _last = fact;
        foreach (JsonProperty field in JsonWalk.Fields(call).Where(field => field.Name is not ("id" or "index" or "type") && field.Name != kind))
        {
            Other(field, fact.Pointer);
        }

        ReadFunction(fact, function);
    }

    private CallFact Call(string key, string pointer)
    {
        if (!_calls.TryGetValue(key, out CallFact? fact))
        {
            fact = new CallFact(pointer);
            _calls[key] = fact;
            _facts.Calls.Add(fact);
        }

        return fact;
    }

    private void ReadFunction(CallFact fact, JsonElement function)
    {
        foreach (JsonProperty field in JsonWalk.Fields(function))
        {
            switch (field.Name)
            {
                case "name":
                    fact.Name = fact.Name.Length == 0 && field.Value.ValueKind == JsonValueKind.String ? JsonWalk.TextOf(field.Value) : fact.Name;
                    break;
                case var given when given == (fact.IsFreeText ? "input" : "arguments"):
                    fact.Arguments.Append(field.Value.ValueKind switch
                    {
                        JsonValueKind.String => JsonWalk.TextOf(field.Value),
                        JsonValueKind.Null => "",
                        _ => field.Value.GetRawText(),
                    });
                    break;
                default:
                    Other(field, $"{fact.Pointer}/{(fact.IsFreeText ? "custom" : "function")}");
                    break;
            }
        }
    }

    private void ReadAnnotations(JsonElement annotations)
    {
        foreach (JsonElement annotation in annotations.EnumerateArray())
        {
            string at = JsonWalk.Below($"{Message}/annotations", _citations++);
            if (JsonWalk.Get(annotation, "url_citation") is not { } citation)
            {
                _facts.Others[at] = JsonWalk.Canonical(annotation);
                continue;
            }

            _facts.Citations.Add(new CitationFact(JsonWalk.Text(citation, "url"), JsonWalk.Text(citation, "title"), JsonWalk.Text(citation, "content"), at));
            foreach (JsonProperty field in JsonWalk.Fields(citation).Where(field => field.Name is not ("type" or "url" or "title" or "content")))
            {
                Other(field, $"{at}/url_citation");
            }
        }
    }

    private void ReadUsage(JsonElement usage, string? at)
    {
        JsonElement prompt = JsonWalk.Get(usage, "prompt_tokens_details") ?? default;
        JsonElement completion = JsonWalk.Get(usage, "completion_tokens_details") ?? default;
        long input = JsonWalk.Count(usage, "prompt_tokens") ?? 0;
        long output = JsonWalk.Count(usage, "completion_tokens") ?? 0;
        long total = JsonWalk.Count(usage, "total_tokens") ?? 0;
        long? audio = JsonWalk.Count(prompt, "audio_tokens");
        input += audio > input && total >= input + output + audio ? audio.Value : 0;
        long apart = Math.Max(0, total - input - output);
        long? reasoning = JsonWalk.Count(completion, "reasoning_tokens") ?? JsonWalk.Count(usage, "reasoning_tokens");
        long cacheRead = JsonWalk.Count(prompt, "cached_tokens") ?? JsonWalk.Count(usage, "prompt_cache_hit_tokens")
            ?? JsonWalk.Count(usage, "cache_read_input_tokens") ?? JsonWalk.Count(usage, "cached_tokens") ?? 0;
        long cacheWrite = JsonWalk.Count(prompt, "cache_write_tokens") ?? JsonWalk.Count(usage, "cache_creation_input_tokens") ?? 0;
        output += apart;
        reasoning = apart > 0 ? Math.Max(apart, reasoning ?? 0) : reasoning;
        _facts.Tokens = new TokenFact(input, Math.Min(cacheRead, input), Math.Min(cacheWrite, input - Math.Min(cacheRead, input)), output, reasoning is { } r ? Math.Min(r, output) : null);
        if (at is not null)
        {
            _counts = (JsonWalk.Count(usage, "prompt_tokens") ?? 0, JsonWalk.Count(usage, "completion_tokens") ?? 0, JsonWalk.Count(completion, "reasoning_tokens") ?? 0);
            OtherUsage(usage, at);
        }
    }

    private static readonly string[] CountedUsage =
    [
        "prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens", "cache_read_input_tokens", "cached_tokens",
        "cache_creation_input_tokens", "reasoning_tokens", "cache_write_tokens", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens",
    ];

    /// <summary>Figures that have no class: each says something unless it is zero.</summary>
    private void OtherUsage(JsonElement usage, string at)
    {
        foreach (JsonProperty field in JsonWalk.Fields(usage).Where(field => !CountedUsage.Contains(field.Name)))
        {
            if (field.Name is "prompt_tokens_details" or "completion_tokens_details" or "cache_creation" && field.Value.ValueKind == JsonValueKind.Object)
            {
                OtherUsage(field.Value, JsonWalk.Below(at, field.Name));
            }
            else if (field.Name == "service_tier" && at == "/usage")
            {
                _facts.TellTier(JsonWalk.Below(at, field.Name), field.Value);
            }
            else if (field.Name == "text_tokens" && IsAllText(at, field.Value))
            {
                // The count of all says the same.
            }
            else if (!(field.Value.ValueKind == JsonValueKind.Number && field.Value.GetDouble() == 0))
            {
                Other(field, at);
            }
        }
    }

    private bool IsAllText(string at, JsonElement count) => count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out long texts)
        && (at == "/usage/prompt_tokens_details" ? texts == _counts.Prompt
        : at == "/usage/completion_tokens_details" && (texts == _counts.Completion || texts == _counts.Completion - _counts.Reasoning));

    private (long Prompt, long Completion, long Reasoning) _counts;

    /// <summary>Letters that only fill a piece up.</summary>
    private static bool IsPadding(JsonProperty field)
    {
        const string alphabet = "abcdefghijklmnopqrstuvwxyz";
        string text = field.Value.ValueKind == JsonValueKind.String ? JsonWalk.TextOf(field.Value) : "";
        return field.Name == "obfuscation" ? text.Length > 0
            : field.Name == "p" && text.Length > 0 && text.All(char.IsAsciiLetterOrDigit) && (alphabet.StartsWith(text, StringComparison.Ordinal) || text.StartsWith(alphabet, StringComparison.Ordinal));
    }

    private void Other(JsonProperty field, string parent)
    {
        if (!JsonWalk.SaysNothing(field.Value))
        {
            _facts.Others[JsonWalk.Below(parent, field.Name)] = "";
        }
    }
}
