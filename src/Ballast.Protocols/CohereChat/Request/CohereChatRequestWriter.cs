using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>Writes a request of <c>/v2/chat</c>: this file the fields around the conversation, <c>CohereChatTurns</c> the messages. What it cannot say is named as a loss.</summary>
internal sealed class CohereChatRequestWriter(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
{
    internal const string Title = "Cohere";

    /// <summary>Longest name of a tool.</summary>
    internal const int ToolNameLengthMax = 128;

    private const int StopSequenceCountMax = 5;

    private const long TopKMax = 500;

    private const double TopPMin = 0.01;

    private const double TopPMax = 0.99;

    /// <summary>Tokens of reasoning for a low effort; a medium one has <see cref="MediumEffortTokens"/>, a high one has no limit.</summary>
    private const long LowEffortTokens = 1024;

    private const long MediumEffortTokens = 4096;

    private readonly PlainParts _parts = new(request, target, losses, Title) { TakesImageAddresses = true, TakesMediaTypes = true, TakesTextDocuments = true, TakesDetail = true };

    /// <summary>The request came in this protocol: the caller's own words go on.</summary>
    private readonly bool _isOwn = request.SourceProtocol == CohereChatProtocol.ProtocolName;
    private readonly bool _isEmulated = StructuredOutput.IsEmulated(request, target);

    public void Write()
    {
        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        json.WriteBoolean("stream"u8, request.Stream);
        new CohereChatTurns(request, target, losses, json, _parts).Write(_isEmulated);
        WriteTools();
        WriteFormat();
        WriteThinking();
        WriteSampling();
        LoseSettings();
        if (!_isOwn)
        {
            _parts.LoseExtras(request.Extras);
        }

        WriteOwnExtras(request.Extras, "");
        json.WriteEndObject();
    }

    private void WriteTools()
    {
        List<Tool> tools = [.. request.Tools.Where(tool => tool.Native.IsEmpty)];
        foreach (Tool tool in request.Tools.Where(tool => !tool.Native.IsEmpty))
        {
            losses.Add(tool.Pointer, "A tool that the vendor itself runs stays there.");
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
            if (_isOwn && tools is [{ Strict: bool strict }, ..])
            {
                json.WriteBoolean("strict_tools"u8, strict);
            }
        }

        WriteToolChoice(tools);
        if (request.ParallelToolCalls is { Value: false } parallel)
        {
            losses.Add(parallel.Pointer, $"{Title} cannot be told to call one tool at a time.");
        }
    }

    private void WriteTool(Tool tool)
    {
        string name = _isOwn ? tool.Name : LegalName.Of(tool.Name, ToolNameLengthMax);
        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, name);
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
        if (name != tool.Name)
        {
            losses.Add(_parts.Inside(tool.Pointer, "/function/name"), "Letters that Cohere does not take were replaced.");
        }

        if (tool.CacheControl is { } cache)
        {
            losses.Add(cache.Pointer, $"{Title} takes no cache breakpoints.");
        }

        if (tool.Strict == true)
        {
            losses.Add(_parts.Inside(tool.Pointer, "/function/strict"), $"{Title} enforces the schemas of all tools or of none.");
        }
    }

    private void WriteToolChoice(List<Tool> tools)
    {
        if (_isEmulated && tools.Count == 0)
        {
            json.WriteString("tool_choice"u8, "REQUIRED"u8);
        }

        if (request.ToolChoice is not { } choice || choice.Mode == ToolChoiceMode.Auto)
        {
            return;
        }

        bool isForced = choice.Mode is ToolChoiceMode.Required or ToolChoiceMode.Named;
        if (tools.Count == 0)
        {
            if (isForced)
            {
                losses.Add(choice.Pointer, "No tool is left to call.");
            }

            return;
        }

        json.WriteString("tool_choice"u8, isForced ? "REQUIRED"u8 : "NONE"u8);
        if (choice.Mode == ToolChoiceMode.Named && !(tools.Count == 1 && tools[0].Name == choice.Name))
        {
            losses.Add(choice.Pointer, $"{Title} can be made to call a tool, but not which.");
        }
    }

    private void WriteFormat()
    {
        if (request.ResponseFormat is not { } format || _isEmulated)
        {
            return;
        }

        if (!_isOwn && format.Kind != ResponseFormatKind.Text && request.Tools.Any(tool => tool.Native.IsEmpty))
        {
            losses.Add(format.Pointer, $"{Title} takes no form of the answer beside tools.");
            return;
        }

        json.WriteStartObject("response_format"u8);
        json.WriteString("type"u8, format.Kind == ResponseFormatKind.Text ? "text"u8 : "json_object"u8);
        if (format.Kind == ResponseFormatKind.JsonSchema && !format.Schema.IsEmpty)
        {
            json.WritePropertyName("json_schema"u8);
            format.Schema.WriteTo(json);
        }

        WriteOwnExtras(request.Extras, CohereChatRequest.FormatPointer);
        json.WriteEndObject();
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

    private void WriteThinking()
    {
        if (request.Thinking is not { } thinking)
        {
            return;
        }

        if (!_isOwn)
        {
            _parts.LoseExtras(thinking.Extras);
            if (!target.Has(TargetFeatures.ReasoningEffort))
            {
                if (thinking.Mode != ThinkingMode.Disabled)
                {
                    thinking.Lose(losses, "The endpoint cannot be asked to reason.");
                }

                return;
            }
        }

        json.WriteStartObject("thinking"u8);
        json.WriteString("type"u8, thinking.Mode == ThinkingMode.Disabled ? "disabled"u8 : "enabled"u8);
        if (thinking.Mode != ThinkingMode.Disabled && BudgetOf(thinking) is long budget)
        {
            json.WriteNumber("token_budget"u8, budget);
        }

        WriteOwnExtras(thinking.Extras, thinking.Pointer);
        json.WriteEndObject();
    }

    private long? BudgetOf(ThinkingOptions thinking)
    {
        if (thinking.Effort is not { } effort)
        {
            return thinking.BudgetTokens;
        }

        if (effort is not ("minimal" or "low" or "medium" or "high"))
        {
            losses.Add(thinking.EffortPointer ?? thinking.Pointer, "Becomes the nearest budget of tokens.");
        }

        return thinking.BudgetTokens ?? effort switch
        {
            "minimal" or "low" => LowEffortTokens,
            "high" or "xhigh" or "max" => null,
            _ => MediumEffortTokens,
        };
    }

    private void WriteSampling()
    {
        WriteNumber("temperature"u8, request.Temperature);
        WriteClamped("p"u8, request.TopP, TopPMin, TopPMax);
        WriteClamped("presence_penalty"u8, request.PresencePenalty, 0, 1);
        WriteClamped("frequency_penalty"u8, request.FrequencyPenalty, 0, 1);
        if (request.TopK is { } topK)
        {
            json.WriteNumber("k"u8, _isOwn ? topK.Value : Math.Clamp(topK.Value, 0, TopKMax));
            if (!_isOwn && topK.Value is < 0 or > TopKMax)
            {
                losses.Add(topK.Pointer, $"{Title} takes at most {TopKMax}.");
            }
        }

        if (request.Seed is { } seed)
        {
            json.WriteNumber("seed"u8, seed.Value);
        }

        if (request.MaxOutputTokens is { } limit)
        {
            json.WriteNumber("max_tokens"u8, limit.Value);
        }

        WriteStop();
    }

    private void WriteStop()
    {
        if (request.StopSequences is not { } stop || (!_isOwn && stop.Value.Count == 0))
        {
            return;
        }

        json.WriteStartArray("stop_sequences"u8);
        for (int i = 0; i < stop.Value.Count; i++)
        {
            if (_isOwn || i < StopSequenceCountMax)
            {
                json.WriteStringValue(stop.Value[i]);
            }
            else
            {
                losses.Add(JsonCursor.Below(stop.Pointer, i), $"{Title} takes at most {StopSequenceCountMax} stop sequences.");
            }
        }

        json.WriteEndArray();
    }

    private void WriteNumber(ReadOnlySpan<byte> name, Setting<double>? setting)
    {
        if (setting is not null)
        {
            json.WriteNumber(name, setting.Value);
        }
    }

    private void WriteClamped(ReadOnlySpan<byte> name, Setting<double>? setting, double least, double most)
    {
        if (setting is null)
        {
            return;
        }

        double clamped = _isOwn ? setting.Value : Math.Clamp(setting.Value, least, most);
        json.WriteNumber(name, clamped);
        if (clamped != setting.Value)
        {
            losses.Add(setting.Pointer, string.Create(CultureInfo.InvariantCulture, $"{Title} takes {least} to {most}."));
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

    private void WriteOwnExtras(IReadOnlyList<Extra> extras, string at)
    {
        foreach (Extra extra in extras)
        {
            if (_isOwn && extra.Pointer == JsonCursor.Below(at, extra.Name))
            {
                json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(json);
            }
        }
    }
}
