using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Writes a request of another protocol; what only that one knows is named as a loss. The vendor keeps nothing of it.</summary>
internal sealed class OpenAIResponsesRequestWriter(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
{
    /// <summary>Longest name of a tool.</summary>
    internal const int ToolNameLengthMax = 64;

    /// <summary>OpenAI refuses a smaller limit.</summary>
    private const long OutputTokensMin = 16;

    /// <summary>Budgets in tokens up to which an effort counts as low or medium.</summary>
    private const long LowEffortTokensMax = 2048;

    private const long MediumEffortTokensMax = 8192;

    private const string OpenAIChat = "openai-chat";

    /// <summary>Fields that OpenAI's other protocol spells and means alike.</summary>
    private static readonly string[] s_shared = ["metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention"];

    public void Write()
    {
        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        bool isEmulated = StructuredOutput.IsEmulated(request, target);
        new OpenAIResponsesItemWriter(request, target, losses, json).WriteInput(isEmulated && request.Tools.Any(static tool => tool.Native.IsEmpty));
        WriteTools(isEmulated);
        WriteText(isEmulated);
        WriteSampling();
        WriteThinking();
        if (request.Stream)
        {
            json.WriteBoolean("stream"u8, true);
        }

        json.WriteBoolean("store"u8, false);
        foreach (Extra extra in request.Extras)
        {
            WriteExtra(extra);
        }

        json.WriteEndObject();
    }

    private void WriteExtra(Extra extra)
    {
        bool isTop = extra.Pointer.LastIndexOf('/') == 0;
        if (isTop && request.SourceProtocol == OpenAIChat && target.Vendor == OpenAIResponsesProtocol.Issuer && s_shared.Contains(extra.Name))
        {
            json.WritePropertyName(extra.Name);
            extra.Value.WriteTo(json);
        }
        else
        {
            OpenAIResponsesItemWriter.Lose(extra, losses);
        }
    }

    private void WriteTools(bool isEmulated)
    {
        List<Tool> tools = [.. request.Tools.Where(static tool => tool.Native.IsEmpty)];
        foreach (Tool tool in request.Tools.Where(static tool => !tool.Native.IsEmpty))
        {
            losses.Add(tool.Pointer, $"The tool {tool.Name} runs at another vendor.");
        }

        if (tools.Count > 0 || isEmulated)
        {
            json.WriteStartArray("tools"u8);
            foreach (Tool tool in tools)
            {
                WriteTool(tool);
            }

            if (isEmulated)
            {
                WriteAnswerTool(request.ResponseFormat!, json);
            }

            json.WriteEndArray();
        }

        WriteToolChoice(tools.Count, isEmulated);
    }

    private void WriteTool(Tool tool)
    {
        string name = LegalName.Of(tool.Name, ToolNameLengthMax);
        if (name != tool.Name)
        {
            losses.Add($"{tool.Pointer}/name", $"The tool is known to the model as {name}.");
        }

        json.WriteStartObject();
        json.WriteString("type"u8, tool.FreeText is null ? "function"u8 : "custom"u8);
        json.WriteString("name"u8, name);
        if (tool.Description is not null)
        {
            json.WriteString("description"u8, tool.Description);
        }

        if (tool.FreeText is { } text)
        {
            WriteFreeText(text);
        }
        else
        {
            WriteParameters(tool);
        }

        json.WriteEndObject();
        OpenAIResponsesItemWriter.Lose(tool.CacheControl, losses);
        foreach (Extra extra in tool.Extras)
        {
            OpenAIResponsesItemWriter.Lose(extra, losses);
        }
    }

    private void WriteParameters(Tool tool)
    {
        json.WritePropertyName("parameters"u8);
        if (tool.Parameters.IsEmpty)
        {
            json.WriteRawValue("{\"type\":\"object\",\"properties\":{}}"u8, skipInputValidation: true);
        }
        else
        {
            tool.Parameters.WriteTo(json);
        }

        // Tools are strict here unless it is said that they are not; elsewhere they are not unless it is said that they are.
        json.WriteBoolean("strict"u8, tool.Strict ?? false);
    }

    private void WriteFreeText(FreeText text)
    {
        if (text.Definition is not null)
        {
            json.WriteStartObject("format"u8);
            json.WriteString("type"u8, "grammar"u8);
            json.WriteString("syntax"u8, text.Syntax);
            json.WriteString("definition"u8, text.Definition);
            json.WriteEndObject();
        }
    }

    public static void WriteAnswerTool(ResponseFormat format, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "function"u8);
        json.WriteString("name"u8, StructuredOutput.ToolName);
        json.WriteString("description"u8, format.Description ?? "Gives the final answer.");
        json.WritePropertyName("parameters"u8);
        (format.Schema.IsEmpty ? RawJson.EmptyObject : format.Schema).WriteTo(json);
        json.WriteBoolean("strict"u8, false);
        json.WriteEndObject();
    }

    private void WriteToolChoice(int toolCount, bool isEmulated)
    {
        ToolChoice? choice = request.ToolChoice;
        if (isEmulated && (toolCount == 0 || choice?.Mode == ToolChoiceMode.None))
        {
            WriteNamedChoice(StructuredOutput.ToolName, json);
        }
        else if (isEmulated && (choice is null || choice.Mode == ToolChoiceMode.Auto))
        {
            // The caller's own tools stay callable, and the answer is a call as well: one of them it must be.
            json.WriteString("tool_choice"u8, "required"u8);
            if (choice?.Allowed is not null)
            {
                losses.Add(choice.Pointer, "All tools may be called where the answer's form is emulated.");
            }
        }
        else if (choice is not null && toolCount == 0)
        {
            if (choice.Mode is ToolChoiceMode.Required or ToolChoiceMode.Named)
            {
                losses.Add(choice.Pointer, "No tool is left to call.");
            }
        }
        else if (choice is { Mode: ToolChoiceMode.Named, Name: { } name })
        {
            json.WriteStartObject("tool_choice"u8);
            WriteToolReference(name);
            json.WriteEndObject();
        }
        else if (choice is { Allowed: { } allowed })
        {
            json.WriteStartObject("tool_choice"u8);
            json.WriteString("type"u8, "allowed_tools"u8);
            json.WriteString("mode"u8, choice.Mode == ToolChoiceMode.Required ? "required"u8 : "auto"u8);
            json.WriteStartArray("tools"u8);
            foreach (string one in allowed)
            {
                json.WriteStartObject();
                WriteToolReference(one);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
        else if (choice is not null)
        {
            json.WriteString("tool_choice"u8, choice.Mode switch { ToolChoiceMode.Required => "required"u8, ToolChoiceMode.None => "none"u8, _ => "auto"u8 });
        }
    }

    private void WriteToolReference(string name)
    {
        json.WriteString("type"u8, request.Tools.Any(tool => tool.Name == name && tool.FreeText is not null) ? "custom"u8 : "function"u8);
        json.WriteString("name"u8, LegalName.Of(name, ToolNameLengthMax));
    }

    public static void WriteNamedChoice(string name, Utf8JsonWriter json)
    {
        json.WriteStartObject("tool_choice"u8);
        json.WriteString("type"u8, "function"u8);
        json.WriteString("name"u8, name);
        json.WriteEndObject();
    }

    private void WriteText(bool isEmulated)
    {
        if (request.ResponseFormat is not { } format || isEmulated || format.Kind == ResponseFormatKind.Text)
        {
            return;
        }

        json.WriteStartObject("text"u8);
        json.WriteStartObject("format"u8);
        json.WriteString("type"u8, format.Kind == ResponseFormatKind.JsonSchema ? "json_schema"u8 : "json_object"u8);
        if (format.Kind == ResponseFormatKind.JsonSchema)
        {
            json.WriteString("name"u8, format.Name ?? "answer");
            if (format.Description is not null)
            {
                json.WriteString("description"u8, format.Description);
            }

            json.WritePropertyName("schema"u8);
            (format.Schema.IsEmpty ? RawJson.EmptyObject : format.Schema).WriteTo(json);
            if (format.Strict is bool strict)
            {
                json.WriteBoolean("strict"u8, strict);
            }
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteSampling()
    {
        if (request.Temperature is { } temperature)
        {
            json.WriteNumber("temperature"u8, temperature.Value);
        }

        if (request.TopP is { } topP)
        {
            json.WriteNumber("top_p"u8, topP.Value);
        }

        if (request.MaxOutputTokens is { } limit)
        {
            bool isTooSmall = limit.Value < OutputTokensMin && target.Vendor == OpenAIResponsesProtocol.Issuer;
            json.WriteNumber("max_output_tokens"u8, isTooSmall ? OutputTokensMin : limit.Value);
            if (isTooSmall)
            {
                losses.Add(limit.Pointer, $"OpenAI takes no limit below {OutputTokensMin} tokens here.");
            }
        }

        if (request.EndUser is { } user)
        {
            json.WriteString("user"u8, user.Value);
        }

        if (request.ParallelToolCalls is { } parallel && request.Tools.Any(static tool => tool.Native.IsEmpty))
        {
            if (target.Has(TargetFeatures.ParallelToolCalls))
            {
                json.WriteBoolean("parallel_tool_calls"u8, parallel.Value);
            }
            else if (!parallel.Value)
            {
                losses.Add(parallel.Pointer, "The endpoint cannot be told to call one tool at a time.");
            }
        }

        Lose(request.TopK);
        Lose(request.PresencePenalty);
        Lose(request.FrequencyPenalty);
        Lose(request.Seed);
        if (request.ChoiceCount is { Value: not 1 })
        {
            Lose(request.ChoiceCount);
        }

        if (request.StopSequences is { Value.Count: > 0 } stop)
        {
            losses.Add(stop.Pointer, "The Responses API has no stop sequences.");
        }
    }

    private void Lose<T>(Setting<T>? setting)
    {
        if (setting is not null)
        {
            losses.Add(setting.Pointer, $"{setting.Pointer.TrimStart('/')} has no place in the Responses API.");
        }
    }

    private void WriteThinking()
    {
        ThinkingOptions? thinking = request.Thinking;
        foreach (Extra extra in thinking?.Extras ?? [])
        {
            OpenAIResponsesItemWriter.Lose(extra, losses);
        }

        bool isAsked = false;
        if (thinking is not null && !target.Has(TargetFeatures.ReasoningEffort))
        {
            thinking.Lose(
                losses,
                thinking.Mode == ThinkingMode.Disabled ? "The endpoint cannot be told not to reason." : "The endpoint cannot be asked to reason.");
        }
        else if (thinking is { Mode: ThinkingMode.Disabled, Effort: null } && target.Has(TargetFeatures.ThinkingSwitch))
        {
            isAsked = WriteReasoning(thinking with { Effort = "none" });
        }
        else if (thinking is { Mode: ThinkingMode.Disabled, Effort: null })
        {
            // "none" exists for some models only and is an error for the others.
            losses.Add(thinking.Pointer, "Reasoning cannot be switched off for every model of this endpoint.");
        }
        else if (thinking is not null)
        {
            isAsked = WriteReasoning(thinking);
        }

        if (OpenAIResponsesReasoning.IsEncrypted(target, isAsked))
        {
            json.WriteStartArray("include"u8);
            json.WriteStringValue(OpenAIResponsesSplice.EncryptedReasoning);
            json.WriteEndArray();
        }
    }

    private bool WriteReasoning(ThinkingOptions thinking)
    {
        string? effort = thinking.Effort switch
        {
            "max" => "high",
            string word => word,
            null => thinking.BudgetTokens switch
            {
                null => null,
                <= LowEffortTokensMax => "low",
                <= MediumEffortTokensMax => "medium",
                _ => "high",
            },
        };

        // Who thinks in budgets expects to read the thoughts.
        bool wantsText = thinking.Mode != ThinkingMode.Disabled && (thinking.BudgetTokens is not null || thinking.Mode == ThinkingMode.Adaptive);
        if (effort is null && !wantsText)
        {
            return false;
        }

        json.WriteStartObject("reasoning"u8);
        if (effort is not null)
        {
            json.WriteString("effort"u8, effort);
        }

        if (wantsText)
        {
            json.WriteString("summary"u8, "auto"u8);
        }

        json.WriteEndObject();
        return true;
    }
}
