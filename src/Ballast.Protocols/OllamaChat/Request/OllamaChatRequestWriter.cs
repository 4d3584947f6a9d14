using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>Writes a request of <c>/api/chat</c>. What it cannot say is named as a loss.</summary>
internal sealed class OllamaChatRequestWriter(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
{
    private const string Title = "Ollama";

    private const string StructuredOutputInstruction =
        $"When you give your final answer, give it by calling the tool {StructuredOutput.ToolName}, not as text.";

    /// <summary>A budget of at most so many tokens is a low effort; at most <see cref="MediumEffortTokensMax"/> a medium one; more is high.</summary>
    private const long LowEffortTokensMax = 2048;

    private const long MediumEffortTokensMax = 8192;

    private readonly PlainParts _parts = new(request, target, losses, Title);
    private readonly Dictionary<string, string> _toolsOfCalls = [];

    /// <summary>The request came in this protocol: the caller's own words go on.</summary>
    private readonly bool _isOwn = request.SourceProtocol == OllamaChatProtocol.ProtocolName;
    private readonly bool _isEmulated = StructuredOutput.IsEmulated(request, target);

    public void Write()
    {
        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        json.WriteBoolean("stream"u8, request.Stream);
        WriteMessages();
        WriteTools();
        WriteFormat();
        WriteThink();
        WriteOptions();
        LoseSettings();
        WriteExtras(request.Extras, "");
        json.WriteEndObject();
    }

    private void WriteMessages()
    {
        json.WriteStartArray("messages"u8);
        foreach (Message message in request.Messages)
        {
            WriteMessage(message);
        }

        if (_isEmulated)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "system"u8);
            json.WriteString("content"u8, StructuredOutputInstruction);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (!_isOwn && request.Messages is [.., { Role: Role.Assistant } prefill])
        {
            losses.Add(prefill.Pointer, $"{Title} does not continue an answer that was begun for it.");
        }
    }

    private void WriteMessage(Message message)
    {
        if (!_isOwn)
        {
            _parts.LoseExtras(message.Extras);
        }

        if (message.Name is { } name)
        {
            losses.Add(name.Pointer, $"{Title} has no speakers' names.");
        }

        // Another protocol's results may stand in the user's turn: here each is a message of its own before the rest.
        foreach (ToolResultPart result in message.Parts.OfType<ToolResultPart>())
        {
            WriteResult(message, result);
        }

        List<Part> rest = [.. message.Parts.Where(part => part is not ToolResultPart)];
        if (rest.Count > 0 || !message.Parts.OfType<ToolResultPart>().Any())
        {
            WriteTurn(message, rest);
        }
    }

    private void WriteTurn(Message message, List<Part> parts)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, message.Role switch
        {
            Role.Assistant => "assistant"u8,
            Role.System or Role.Developer => "system"u8,
            _ => "user"u8,
        });
        bool isAssistant = message.Role == Role.Assistant;
        WriteContent(
            [.. parts.Where(part => part is not (ToolCallPart or ThinkingPart or RedactedThinkingPart) && !(_isOwn && part is OpaquePart))], isAssistant ? "" : "\n\n", prefix: "");
        if (isAssistant)
        {
            WriteThinking(parts);
            WriteCalls([.. parts.OfType<ToolCallPart>()]);
        }

        WriteOwnExtras(message.Extras, message.Pointer);
        json.WriteEndObject();
    }

    private void WriteResult(Message message, ToolResultPart result)
    {
        _parts.LoseDetails(result);
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        WriteContent(result.Content, "\n", result.IsError ? "Error: " : "");
        if (_toolsOfCalls.TryGetValue(result.CallId, out string? tool))
        {
            json.WriteString("tool_name"u8, tool);
        }

        json.WriteString("tool_call_id"u8, result.CallId);
        if (message.Role == Role.Tool)
        {
            WriteOwnExtras(message.Extras, message.Pointer);
        }

        json.WriteEndObject();
    }

    private void WriteContent(IReadOnlyList<Part> parts, string separator, string prefix)
    {
        List<string> texts = [];
        List<string> images = [];
        foreach (Part part in parts)
        {
            switch (_isOwn ? part : _parts.Of(part))
            {
                case TextPart text:
                    texts.Add(text.Text);
                    break;
                case ImagePart { Source.Base64: { } base64 }:
                    images.Add(base64);
                    break;
            }
        }

        json.WriteString("content"u8, prefix + string.Join(separator, texts));
        if (images.Count > 0)
        {
            json.WriteStartArray("images"u8);
            foreach (string image in images)
            {
                json.WriteStringValue(image);
            }

            json.WriteEndArray();
        }
    }

    /// <summary>Reasoning goes back to the vendor that gave it.</summary>
    private void WriteThinking(List<Part> parts)
    {
        StringBuilder text = new();
        List<Part> marked = _isOwn ? [.. parts.OfType<OpaquePart>()] : [];
        foreach (Part part in parts.Where(part => part is ThinkingPart or RedactedThinkingPart))
        {
            _parts.LoseExtras(part.Extras);
            string? issuer = part is ThinkingPart told ? told.Issuer : ((RedactedThinkingPart)part).Issuer;
            if (issuer != target.Vendor && !(issuer is null && _isOwn))
            {
                losses.Add(part.Pointer, issuer is null ? "It is not known whose reasoning this is." : $"Reasoning of {issuer} goes back to {issuer} only.");
                continue;
            }

            text.Append((part as ThinkingPart)?.Text);
            if (part is RedactedThinkingPart or ThinkingPart { Signature: not null })
            {
                marked.Add(part);
            }
        }

        if (text.Length > 0)
        {
            json.WriteString("thinking"u8, text.ToString());
        }

        WriteMarked(marked);
    }

    /// <summary>What its issuer signed or encrypted, in the form in which this gateway gives it.</summary>
    private void WriteMarked(List<Part> marked)
    {
        if (marked.Count == 0)
        {
            return;
        }

        json.WriteStartArray(OllamaChatMessages.DetailsField);
        foreach (Part part in marked)
        {
            if (part is OpaquePart unknown)
            {
                unknown.Value.WriteTo(json);
                continue;
            }

            json.WriteStartObject();
            if (part is ThinkingPart thinking)
            {
                json.WriteString("text"u8, thinking.Text);
                json.WriteString("signature"u8, ForeignThinking.Wrap(target.Vendor, thinking.Signature));
            }
            else
            {
                json.WriteString("data"u8, ForeignThinking.Wrap(target.Vendor, ((RedactedThinkingPart)part).Data));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteCalls(List<ToolCallPart> calls)
    {
        if (calls.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tool_calls"u8);
        for (int i = 0; i < calls.Count; i++)
        {
            ToolCallPart call = calls[i];
            _toolsOfCalls[call.Id] = call.Name;
            json.WriteStartObject();
            json.WriteString("id"u8, call.Id);
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            if (!_isOwn || !call.Extras.Any(extra => extra.Pointer == $"{call.Pointer}/function/index"))
            {
                json.WriteNumber("index"u8, i);
            }

            json.WriteString("name"u8, call.Name);
            json.WritePropertyName("arguments"u8);
            if (!JsonObjectText.Write(json, call.Arguments))
            {
                losses.Add(_parts.Inside(call.Pointer, "/function/arguments"), "Arguments that are no JSON object were wrapped into one.");
            }

            WriteOwnExtras(call.Extras, $"{call.Pointer}/function");
            json.WriteEndObject();
            WriteOwnExtras(call.Extras, call.Pointer);
            json.WriteEndObject();
            if (!_isOwn)
            {
                _parts.LoseDetails(call);
            }
        }

        json.WriteEndArray();
    }

    private void WriteTools()
    {
        bool isForbidden = request.ToolChoice is { Mode: ToolChoiceMode.None };
        List<Tool> tools = [];
        foreach (Tool tool in request.Tools)
        {
            if (isForbidden)
            {
                losses.Add(tool.Pointer, $"{Title} cannot be told not to call a tool on offer: it is not offered.");
            }
            else if (!tool.Native.IsEmpty)
            {
                losses.Add(tool.Pointer, "A tool that the vendor itself runs stays there.");
            }
            else
            {
                tools.Add(tool);
            }
        }

        if (tools.Count > 0 || _isEmulated)
        {
            json.WriteStartArray("tools"u8);
            tools.ForEach(WriteTool);
            if (_isEmulated)
            {
                WriteTool(new Tool(StructuredOutput.ToolName, "") { Description = "Gives the final answer.", Parameters = request.ResponseFormat!.Schema });
            }

            json.WriteEndArray();
        }

        if (request.ToolChoice is { Mode: ToolChoiceMode.Required or ToolChoiceMode.Named } choice)
        {
            losses.Add(choice.Pointer, $"{Title} cannot be made to call a tool.");
        }

        if (request.ParallelToolCalls is { Value: false } parallel)
        {
            losses.Add(parallel.Pointer, $"{Title} cannot be told to call one tool at a time.");
        }
    }

    private void WriteTool(Tool tool)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, tool.Name);
        if (tool.Description is not null)
        {
            json.WriteString("description"u8, tool.Description);
        }

        json.WritePropertyName("parameters"u8);
        (tool.Parameters.IsEmpty ? RawJson.From("{\"type\":\"object\",\"properties\":{}}") : tool.Parameters).WriteTo(json);
        WriteOwnExtras(tool.Extras, $"{tool.Pointer}/function");
        json.WriteEndObject();
        WriteOwnExtras(tool.Extras, tool.Pointer);
        json.WriteEndObject();
        if (_isOwn)
        {
            return;
        }

        _parts.LoseExtras(tool.Extras);
        if (tool.CacheControl is { } cache)
        {
            losses.Add(cache.Pointer, $"{Title} takes no cache breakpoints.");
        }

        if (tool.Strict == true)
        {
            losses.Add(_parts.Inside(tool.Pointer, "/function/strict"), $"{Title} does not enforce the schemas of tools.");
        }
    }

    private void WriteFormat()
    {
        if (request.ResponseFormat is not { } format)
        {
            return;
        }

        if (format.Kind == ResponseFormatKind.JsonObject || (format.Kind == ResponseFormatKind.JsonSchema && format.Schema.IsEmpty))
        {
            json.WriteString("format"u8, "json"u8);
        }
        else if (format.Kind == ResponseFormatKind.JsonSchema && !_isEmulated)
        {
            json.WritePropertyName("format"u8);
            format.Schema.WriteTo(json);
        }

        if (_isOwn)
        {
            return;
        }

        string inside = _parts.InsideFormat(format.Pointer);
        if (format.Name is not null)
        {
            losses.Add($"{inside}/name", $"{Title} has no names for schemas.");
        }

        if (format.Description is not null)
        {
            losses.Add($"{inside}/description", $"{Title} has no descriptions of schemas.");
        }
    }

    private void WriteThink()
    {
        if (request.Thinking is not { } thinking)
        {
            return;
        }

        if (!_isOwn)
        {
            _parts.LoseExtras(thinking.Extras);
        }

        if (thinking.Mode == ThinkingMode.Disabled)
        {
            // Every model takes this word; the others only those that reason.
            json.WriteBoolean("think"u8, false);
        }
        else if (!_isOwn && !target.Has(TargetFeatures.ReasoningEffort))
        {
            thinking.Lose(losses, "The endpoint cannot be asked to reason.");
        }
        else if ((_isOwn ? thinking.Effort : EffortOf(thinking)) is { } effort)
        {
            json.WriteString("think"u8, effort);
        }
        else
        {
            json.WriteBoolean("think"u8, true);
        }
    }

    /// <summary>The word that is nearest, and a loss where it says less than was asked.</summary>
    private string? EffortOf(ThinkingOptions thinking)
    {
        if (thinking.BudgetTokens is long budget)
        {
            losses.Add(thinking.Pointer, $"{Title} has words for reasoning instead of budgets.");
            if (thinking.Effort is not null)
            {
                return WordOf(thinking, thinking.Effort);
            }

            return budget <= LowEffortTokensMax ? "low" : budget <= MediumEffortTokensMax ? "medium" : "high";
        }

        return thinking.Effort is null ? null : WordOf(thinking, thinking.Effort);
    }

    private string WordOf(ThinkingOptions thinking, string effort)
    {
        if (effort is "low" or "medium" or "high")
        {
            return effort;
        }

        losses.Add(thinking.EffortPointer ?? thinking.Pointer, $"{Title} reasons low, medium or high.");
        return effort is "minimal" ? "low" : effort is "xhigh" or "max" ? "high" : "medium";
    }

    private void WriteOptions()
    {
        json.WriteStartObject("options"u8);
        WriteNumber("temperature"u8, request.Temperature);
        WriteNumber("top_p"u8, request.TopP);
        WriteNumber("top_k"u8, request.TopK);
        WriteNumber("presence_penalty"u8, request.PresencePenalty);
        WriteNumber("frequency_penalty"u8, request.FrequencyPenalty);
        WriteNumber("seed"u8, request.Seed);
        if (!_isOwn && request.MaxOutputTokens is { Value: < 1 } limit)
        {
            // Here a negative one would be no limit at all; every other platform refuses it itself.
            throw ProtocolException.Invalid($"{limit.Pointer[1..].Replace('/', '.')} must be at least 1.", limit.Pointer[1..].Replace('/', '.'));
        }

        WriteNumber("num_predict"u8, request.MaxOutputTokens);
        if (request.StopSequences is { } stop && (_isOwn || stop.Value.Count > 0))
        {
            json.WriteStartArray("stop"u8);
            foreach (string sequence in stop.Value)
            {
                json.WriteStringValue(sequence);
            }

            json.WriteEndArray();
        }

        WriteOwnExtras(request.Extras, OllamaChatRequest.OptionsPointer);
        json.WriteEndObject();
    }

    private void WriteNumber(ReadOnlySpan<byte> name, Setting<double>? setting)
    {
        if (setting is not null)
        {
            json.WriteNumber(name, setting.Value);
        }
    }

    private void WriteNumber(ReadOnlySpan<byte> name, Setting<long>? setting)
    {
        if (setting is not null)
        {
            json.WriteNumber(name, setting.Value);
        }
    }

    private void LoseSettings()
    {
        if (request.EndUser is { } user)
        {
            losses.Add(user.Pointer, $"{Title} knows no end users.");
        }

        if (request.ChoiceCount is { Value: not 1 } count)
        {
            losses.Add(count.Pointer, "There is one answer only.");
        }
    }

    private void WriteExtras(IReadOnlyList<Extra> extras, string at)
    {
        if (!_isOwn)
        {
            _parts.LoseExtras(extras);
            return;
        }

        WriteOwnExtras(extras, at);
    }

    /// <summary>Writes those of the caller's own extras that stood directly in the object at <paramref name="at"/>.</summary>
    private void WriteOwnExtras(IReadOnlyList<Extra> extras, string at)
    {
        foreach (Extra extra in extras)
        {
            if (_isOwn && !extra.IsSaid && extra.Pointer == JsonCursor.Below(at, extra.Name))
            {
                json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(json);
            }
        }
    }
}
