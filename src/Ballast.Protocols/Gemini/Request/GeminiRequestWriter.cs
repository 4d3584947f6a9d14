using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Writes a request of generateContent. One that came in this protocol is written as it was, but for reasoning that may not go on; one from another protocol is brought
/// into this one's rules, and everything that cannot come along is named.
/// </summary>
internal sealed class GeminiRequestWriter
{
    /// <summary>Most stop sequences that the API takes.</summary>
    public const int StopSequenceCountMax = 5;

    private const double TemperatureMax = 2;

    private const string ConfigPointer = "/generationConfig";

    private readonly ChatRequest _request;
    private readonly LossReport _losses;
    private readonly bool _isNative;
    private readonly bool _hasChoices;
    private readonly GeminiModel _model;
    private readonly GeminiForeignParts _foreign;
    private readonly GeminiTurns _turns;
    private readonly GeminiToolWriter _tools;

    public GeminiRequestWriter(ChatRequest request, RequestTarget target, LossReport losses)
    {
        _request = request;
        _losses = losses;
        _isNative = request.SourceProtocol == GeminiProtocol.ProtocolName;
        _hasChoices = _isNative || target.Has(TargetFeatures.Choices);
        _model = new GeminiModel(target.Model);
        _foreign = new GeminiForeignParts(request, target, losses);
        _turns = new GeminiTurns(request, target, losses);
        _tools = new GeminiToolWriter(request, target, losses, _foreign);
    }

    public void Write(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, GeminiProtocol.WriterOptions);
        json.WriteStartObject();
        WriteContents(json);
        WriteSystem(json);
        _tools.Write(json);
        WriteConfig(json);
        if (_isNative)
        {
            WriteOwnExtras(json, "", "/generateContentRequest");
        }
        else
        {
            _foreign.ReportExtras(_request.Extras);
            Report(_request.EndUser?.Pointer, "An end user's id has no counterpart.");
            Report(!_hasChoices && _request.ChoiceCount is { Value: not 1 } choices ? choices.Pointer : null, "There is one answer only.");
        }

        json.WriteEndObject();
    }

    private void WriteContents(Utf8JsonWriter json)
    {
        json.WriteStartArray("contents"u8);
        foreach (WrittenTurn turn in _turns.Turns)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, turn.Role switch { Role.Assistant => "model"u8, Role.System => "system"u8, _ => "user"u8 });
            GeminiPartWriter.WriteParts(json, turn.Parts);
            GeminiPartWriter.WriteExtras(json, turn.Extras, turn.Pointer);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteSystem(Utf8JsonWriter json)
    {
        List<Part> system = [.. _turns.System];
        if (Instruction() is string instruction)
        {
            system.Add(new TextPart(instruction, _request.ResponseFormat!.Pointer));
        }

        if (system.Count == 0 && _turns.OwnSystem is null)
        {
            return;
        }

        json.WriteStartObject("systemInstruction"u8);
        GeminiPartWriter.WriteParts(json, system.Select(part => new WrittenPart(part)));
        if (_turns.OwnSystem is { } own)
        {
            GeminiPartWriter.WriteExtras(json, own.Extras, own.Pointer);
        }

        json.WriteEndObject();
    }

    /// <summary>The model takes functions or a form of output, not both, and there are functions.</summary>
    private bool FormIsInWords =>
        !_isNative && _request.ResponseFormat is { Kind: not ResponseFormatKind.Text } && !_tools.EmulatesStructuredOutput
        && (_tools.HasFunctions && !_model.CombinesFormatAndTools);

    /// <summary>Words for a form of output that cannot be enforced beside functions.</summary>
    private string? Instruction()
    {
        if (_request.ResponseFormat is not { } format)
        {
            return null;
        }

        if (_tools.EmulatesStructuredOutput)
        {
            return _tools.HasFunctions ? $"Give your final answer by calling {StructuredOutput.ToolName}." : null;
        }

        if (!FormIsInWords)
        {
            return null;
        }

        _losses.Add(format.Pointer, "The model takes no form of output beside functions: it is asked for in words, not enforced.");
        return format.Kind == ResponseFormatKind.JsonObject
            ? "Answer with one JSON object and nothing else: no explanation, no code fence."
            : $"Answer with JSON that fits this JSON Schema and with nothing else: no explanation, no code fence.\n{format.Schema}";
    }

    private void WriteConfig(Utf8JsonWriter json)
    {
        GeminiThinkingConfig? thinking = _isNative ? null : GeminiThinkingConfig.Plan(_request.Thinking, _model, _losses);
        json.WriteStartObject("generationConfig"u8);
        WriteSampling(json);
        WriteStops(json);
        WriteFormat(json);
        if (_isNative && _request.Thinking is { } own)
        {
            WriteOwnThinking(json, own);
        }
        else if (thinking is { } planned)
        {
            json.WriteStartObject("thinkingConfig"u8);
            if (planned.Budget is { } budget)
            {
                json.WriteNumber("thinkingBudget"u8, budget);
            }

            if (planned.Level is { } level)
            {
                json.WriteString("thinkingLevel"u8, level);
            }

            if (planned.IncludesThoughts)
            {
                json.WriteBoolean("includeThoughts"u8, true);
            }

            json.WriteEndObject();
        }

        if (_isNative)
        {
            WriteOwnExtras(json, ConfigPointer, "/generation_config", "/generateContentRequest" + ConfigPointer);
        }

        json.WriteEndObject();
    }

    private void WriteSampling(Utf8JsonWriter json)
    {
        if (Temperature() is double temperature)
        {
            json.WriteNumber("temperature"u8, temperature);
        }

        if (_request.TopP is { } topP)
        {
            json.WriteNumber("topP"u8, topP.Value);
        }

        if (_request.TopK is { } topK)
        {
            json.WriteNumber("topK"u8, topK.Value);
        }

        if (_request.MaxOutputTokens is { } limit)
        {
            json.WriteNumber("maxOutputTokens"u8, limit.Value);
        }

        if (_request.ChoiceCount is { } count && (_hasChoices || count.Value == 1))
        {
            json.WriteNumber("candidateCount"u8, count.Value);
        }

        if (_request.PresencePenalty is { } presence)
        {
            json.WriteNumber("presencePenalty"u8, presence.Value);
        }

        if (_request.FrequencyPenalty is { } frequency)
        {
            json.WriteNumber("frequencyPenalty"u8, frequency.Value);
        }

        if (_request.Seed is { } seed)
        {
            if (_isNative || seed.Value is >= int.MinValue and <= int.MaxValue)
            {
                json.WriteNumber("seed"u8, seed.Value);
            }
            else
            {
                _losses.Add(seed.Pointer, "A seed has 32 bits here.");
            }
        }
    }

    private double? Temperature()
    {
        if (_request.Temperature is not { } temperature || _isNative || temperature.Value is >= 0 and <= TemperatureMax)
        {
            return _request.Temperature?.Value;
        }

        _losses.Add(temperature.Pointer, $"The temperature lies between 0 and {TemperatureMax}.");
        return Math.Clamp(temperature.Value, 0, TemperatureMax);
    }

    private void WriteStops(Utf8JsonWriter json)
    {
        if (_request.StopSequences is not { } stops)
        {
            return;
        }

        json.WriteStartArray("stopSequences"u8);
        for (int i = 0; i < stops.Value.Count; i++)
        {
            if (_isNative || i < StopSequenceCountMax)
            {
                json.WriteStringValue(stops.Value[i]);
            }
            else
            {
                _losses.Add($"{stops.Pointer}/{i}", $"At most {StopSequenceCountMax} stop sequences are taken.");
            }
        }

        json.WriteEndArray();
    }

    private void WriteFormat(Utf8JsonWriter json)
    {
        if (_request.ResponseFormat is not { } format || _tools.EmulatesStructuredOutput || FormIsInWords)
        {
            return;
        }

        if (format.Kind == ResponseFormatKind.Text)
        {
            json.WriteString("responseMimeType"u8, "text/plain"u8);
            return;
        }

        json.WriteString("responseMimeType"u8, GeminiRequest.JsonMediaType);
        if (format.Kind != ResponseFormatKind.JsonSchema)
        {
            return;
        }

        if (_isNative && !format.OwnSchema.IsEmpty)
        {
            json.WritePropertyName("responseSchema"u8);
            format.OwnSchema.WriteTo(json);
            return;
        }

        if (!_isNative)
        {
            GeminiSchema.NoteUnheeded(format.Schema, _foreign.Inside(format.Pointer, "/json_schema/schema"), _losses);
            if (format.Description is not null || format.Name is not null)
            {
                NoteName(format);
            }
        }

        json.WritePropertyName("responseJsonSchema"u8);
        (format.Schema.IsEmpty ? RawJson.EmptyObject : format.Schema).WriteTo(json);
    }

    private void NoteName(ResponseFormat format)
    {
        // A schema has its title and description within it; those beside it are OpenAI's.
        if (format.Name is not null)
        {
            _losses.Add(_foreign.Inside(format.Pointer, "/json_schema/name"), "A schema's name has no counterpart.");
        }

        if (format.Description is not null)
        {
            _losses.Add(_foreign.Inside(format.Pointer, "/json_schema/description"), "A description beside the schema has no counterpart.");
        }
    }

    private static void WriteOwnThinking(Utf8JsonWriter json, ThinkingOptions thinking)
    {
        json.WriteStartObject("thinkingConfig"u8);
        if (thinking.BudgetTokens is { } budget)
        {
            json.WriteNumber("thinkingBudget"u8, budget);
        }

        if (thinking.Effort is { } effort)
        {
            json.WriteString("thinkingLevel"u8, effort.ToUpperInvariant());
        }

        GeminiPartWriter.WriteExtras(json, thinking.Extras, thinking.Pointer);
        json.WriteEndObject();
    }

    private void WriteOwnExtras(Utf8JsonWriter json, params ReadOnlySpan<string> pointers)
    {
        foreach (string pointer in pointers)
        {
            GeminiPartWriter.WriteExtras(json, _request.Extras, pointer);
        }
    }

    private void Report(string? pointer, string reason)
    {
        if (pointer is not null)
        {
            _losses.Add(pointer, reason);
        }
    }
}
