using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// <c>additionalModelRequestFields</c>: what the API has no field of its own for, in the words of the model's vendor. Reasoning is a budget for Anthropic's models
/// (low 1024, medium 4096, high 12288, xhigh and max 20480 tokens), an effort for Amazon's and OpenAI's; others know none.
/// </summary>
internal sealed class BedrockConverseModelFields
{
    /// <summary>Smallest budget for reasoning, in tokens.</summary>
    public const long BudgetMin = 1024;

    /// <summary>With thinking on, <c>topP</c> may not be lower for Anthropic's models.</summary>
    public const double TopPWithThinkingMin = 0.95;

    private const string AnthropicMessages = "anthropic-messages";

    private const string Anthropic = "anthropic";
    private const string Amazon = "amazon";
    private const string OpenAI = "openai";

    private const string ExcludedByForce = "Thinking is off for this request: it does not go together with a forced tool call.";
    private const string NeedsReasoning = "Thinking is off for this request: the open tool loop does not begin with reasoning of this vendor.";

    private readonly ChatRequest _request;
    private readonly RequestTarget _target;
    private readonly LossReport _losses;
    private readonly bool _isNative;
    private ThinkingMode? _mode;
    private long? _budget;
    private string? _effort;
    private ThinkingOptions? _native;
    private IReadOnlyList<Extra> _ownExtras = [];

    public BedrockConverseModelFields(ChatRequest request, RequestTarget target, LossReport losses, bool lacksThinking, bool isForced)
    {
        _request = request;
        _target = target;
        _losses = losses;
        _isNative = request.SourceProtocol == BedrockConverseProtocol.ProtocolName;
        if (_isNative)
        {
            PlanNative(lacksThinking, isForced);
        }
        else
        {
            PlanForeign(lacksThinking, isForced);
        }
    }

    /// <summary>Reasoning in the way of Anthropic's models is on, which restricts sampling.</summary>
    public bool RestrictsSampling => _target.Vendor == Anthropic && _mode is ThinkingMode.Enabled or ThinkingMode.Adaptive;

    /// <summary>The answer tells which stop sequence it met only where it is asked to.</summary>
    public bool TellsStopSequence => !_isNative && _target.Vendor == Anthropic && _request.StopSequences is { Value.Count: > 0 };

    public void Write(Utf8JsonWriter json)
    {
        long? topK = TopK();
        bool hasExtras = (_isNative && _request.Extras.Any(IsOwn)) || _target.Betas is { Count: > 0 };
        if (_mode is null && _native is null && topK is null && _effort is null && !hasExtras)
        {
            return;
        }

        json.WriteStartObject("additionalModelRequestFields"u8);
        BetaField.Write(json, _target.Betas);
        WriteThinking(json);
        if (topK is long k)
        {
            WriteTopK(json, k);
        }

        if (_isNative)
        {
            BedrockConversePartWriter.WriteExtras(json, _request.Extras, BedrockConverseRequest.ModelFieldsPointer);
        }

        json.WriteEndObject();
    }

    private static bool IsOwn(Extra extra) => extra.Pointer == JsonFields.Join(BedrockConverseRequest.ModelFieldsPointer, extra.Name);

    private void WriteTopK(Utf8JsonWriter json, long topK)
    {
        if (_isNative || _target.Vendor == Anthropic)
        {
            json.WriteNumber("top_k"u8, topK);
            return;
        }

        json.WriteStartObject("inferenceConfig"u8);
        json.WriteNumber("topK"u8, topK);
        json.WriteEndObject();
    }

    private void WriteThinking(Utf8JsonWriter json)
    {
        if (_native is { Effort: { } word, BudgetTokens: null })
        {
            json.WriteString("reasoning_effort"u8, word);
        }
        else if (_native is not null)
        {
            json.WriteStartObject(_native.Pointer[(BedrockConverseRequest.ModelFieldsPointer.Length + 1)..]);
            WriteMode(json, _native.Mode, _native.BudgetTokens);
            BedrockConversePartWriter.WriteExtras(json, _native.Extras, _native.Pointer);
            json.WriteEndObject();
        }
        else if (_target.Vendor == OpenAI && _effort is not null)
        {
            json.WriteString("reasoning_effort"u8, _effort);
        }
        else if (_target.Vendor == Amazon && _mode is not null)
        {
            json.WriteStartObject("reasoningConfig"u8);
            json.WriteString("type"u8, _mode == ThinkingMode.Disabled ? "disabled"u8 : "enabled"u8);
            if (_effort is not null)
            {
                json.WriteString("maxReasoningEffort"u8, _effort);
            }

            json.WriteEndObject();
        }
        else
        {
            WriteBudget(json);
        }
    }

    private void WriteBudget(Utf8JsonWriter json)
    {
        if (_mode is { } mode)
        {
            json.WriteStartObject("thinking"u8);
            WriteMode(json, mode, _budget);
            BedrockConversePartWriter.WriteExtras(json, _ownExtras, "/thinking");
            json.WriteEndObject();
        }

        if (_effort is not null)
        {
            json.WriteStartObject("output_config"u8);
            json.WriteString("effort"u8, _effort);
            json.WriteEndObject();
        }
    }

    private static void WriteMode(Utf8JsonWriter json, ThinkingMode mode, long? budget)
    {
        json.WriteString("type"u8, mode switch { ThinkingMode.Enabled => "enabled"u8, ThinkingMode.Adaptive => "adaptive"u8, _ => "disabled"u8 });
        if (budget is long tokens)
        {
            json.WriteNumber("budget_tokens"u8, tokens);
        }
    }

    private long? TopK()
    {
        if (_request.TopK is not Setting<long> topK || _isNative)
        {
            return _request.TopK?.Value;
        }

        if (_target.Vendor is not (Anthropic or Amazon))
        {
            _losses.Add(topK.Pointer, "The model has no such setting.");
            return null;
        }

        if (RestrictsSampling)
        {
            _losses.Add(topK.Pointer, "Does not go together with thinking.");
            return null;
        }

        return topK.Value;
    }

    private void PlanNative(bool lacksThinking, bool isForced)
    {
        _native = _request.Thinking;
        if (_native is { Effort: null, Mode: not ThinkingMode.Disabled } && (isForced || (lacksThinking && _native.Mode == ThinkingMode.Enabled)))
        {
            _losses.Add(_native.Pointer, isForced ? ExcludedByForce : NeedsReasoning);
            _native = null;
        }
    }

    private void PlanForeign(bool lacksThinking, bool isForced)
    {
        if (_request.Thinking is not ThinkingOptions asked)
        {
            return;
        }

        if (_target.Vendor == Anthropic && _request.SourceProtocol == AnthropicMessages)
        {
            PlanOwnWords(asked, lacksThinking, isForced);
            return;
        }

        foreach (Extra extra in asked.Extras)
        {
            _losses.Add(extra.Pointer, $"{extra.Name} has no counterpart.");
        }

        bool isOff = asked.Mode == ThinkingMode.Disabled || asked is { BudgetTokens: null, Effort: "none" or "minimal" };
        if (asked is { BudgetTokens: null, Mode: not ThinkingMode.Disabled, Effort: not (null or "none" or "minimal" or "low" or "medium" or "high" or "xhigh" or "max") })
        {
            _losses.Add(asked.EffortPointer ?? asked.Pointer, "The word for the effort is not known; a medium one is made.");
        }

        if (_target.Vendor == Anthropic)
        {
            PlanBudget(asked, isOff, lacksThinking, isForced);
        }
        else if (_target.Vendor is OpenAI or Amazon && _target.Has(TargetFeatures.ReasoningEffort))
        {
            PlanEffort(asked, isOff);
        }
        else if (!isOff)
        {
            asked.Lose(_losses, "The model has no setting for its reasoning here.");
        }
    }

    /// <summary>The caller speaks the words of the model's vendor already: they go on as they are.</summary>
    private void PlanOwnWords(ThinkingOptions asked, bool lacksThinking, bool isForced)
    {
        _effort = asked.Effort;
        bool isOn = asked.Mode != ThinkingMode.Disabled;
        if (asked.Pointer != "/thinking")
        {
            return;
        }

        if (isOn && (isForced || (lacksThinking && asked.Mode == ThinkingMode.Enabled)))
        {
            _losses.Add(asked.Pointer, isForced ? ExcludedByForce : NeedsReasoning);
            return;
        }

        _mode = asked.Mode;
        _budget = asked.BudgetTokens;
        _ownExtras = asked.Extras;
    }

    private void PlanEffort(ThinkingOptions asked, bool isOff)
    {
        if (isOff)
        {
            _mode = ThinkingMode.Disabled;
            _effort = _target.Vendor == OpenAI ? "low" : null;
            if (_effort is not null)
            {
                _losses.Add(asked.Pointer, "The model always reasons; the lowest effort is asked for.");
            }

            return;
        }

        _mode = ThinkingMode.Enabled;
        _effort = EffortOf(asked) is "max" ? "high" : EffortOf(asked) ?? "medium";
        if (asked.BudgetTokens is not null || asked.Effort is "xhigh" or "max")
        {
            asked.Lose(_losses, $"The model knows words only; its effort is {_effort}.");
        }
    }

    private void PlanBudget(ThinkingOptions asked, bool isOff, bool lacksThinking, bool isForced)
    {
        if (isOff)
        {
            _mode = ThinkingMode.Disabled;
            return;
        }

        bool isAdaptive = _target.Has(TargetFeatures.AdaptiveThinking);
        if (isForced || (lacksThinking && !isAdaptive))
        {
            asked.Lose(_losses, isForced ? ExcludedByForce : NeedsReasoning);
            return;
        }

        if (isAdaptive)
        {
            _mode = ThinkingMode.Adaptive;
            _effort = EffortOf(asked);
            return;
        }

        long budget = Math.Max(BudgetMin, asked.BudgetTokens ?? BudgetOf(asked.Effort));
        if (_request.MaxOutputTokens?.Value is long limit && limit <= budget)
        {
            // The caller's limit is a limit on money: it stands, and reasoning, which counts towards it, takes at most half.
            budget = limit / 2;
            if (budget < BudgetMin)
            {
                asked.Lose(_losses, $"Reasoning needs at least {BudgetMin} tokens, and as many for the answer: the limit of {limit} leaves no room.");
                return;
            }

            if (asked.BudgetTokens is not null)
            {
                _losses.Add(asked.Pointer, $"Lowered to {budget} tokens: the limit of {limit} holds the answer too.");
            }
        }

        _mode = ThinkingMode.Enabled;
        _budget = budget;
    }

    private static long BudgetOf(string? effort) => effort switch
    {
        "low" => 1024,
        "high" => 12288,
        "xhigh" or "max" => 20480,
        _ => 4096,
    };

    private static string? EffortOf(ThinkingOptions asked) => asked.Effort switch
    {
        "low" or "medium" or "high" or "max" => asked.Effort,
        "xhigh" => "max",
        _ => asked.BudgetTokens switch
        {
            null => null,
            <= 2048 => "low",
            <= 8192 => "medium",
            <= 16384 => "high",
            _ => "max",
        },
    };
}
