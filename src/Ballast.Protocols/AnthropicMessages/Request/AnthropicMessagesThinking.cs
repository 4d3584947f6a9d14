using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// What becomes of the wish that the model reasons, and of the output limit, which must hold the reasoning too. Effort words become budgets in tokens where the model
/// takes no words: low 1024, medium 4096, high 12288, xhigh and max 20480; none and minimal turn thinking off.
/// </summary>
internal sealed class AnthropicMessagesThinking
{
    /// <summary>Smallest budget the API takes, in tokens.</summary>
    public const long BudgetMin = 1024;

    private const string ExcludedByForce = "Thinking is off for this request: it does not go together with a forced tool call.";

    private const string NeedsReasoning = "Thinking is off for this request: the open tool loop does not begin with reasoning of this vendor.";

    private readonly ThinkingOptions? _native;
    private readonly ThinkingMode? _mode;
    private readonly long _budget;

    private AnthropicMessagesThinking(ThinkingOptions? native, ThinkingMode? mode, long budget, string? effort, long maxTokens)
    {
        _native = native;
        _mode = mode;
        _budget = budget;
        Effort = effort;
        MaxTokens = maxTokens;
    }

    /// <summary>The word for <c>output_config.effort</c>, or null.</summary>
    public string? Effort { get; }

    public long MaxTokens { get; }

    public bool IsOn => _mode is ThinkingMode.Enabled or ThinkingMode.Adaptive;

    public static AnthropicMessagesThinking Plan(ChatRequest request, RequestTarget target, LossReport losses, bool lacksThinking, bool isForced) =>
        request.SourceProtocol == AnthropicMessagesProtocol.ProtocolName
            ? PlanNative(request, target, losses, lacksThinking, isForced)
            : PlanForeign(request, target, losses, lacksThinking, isForced);

    public void Write(Utf8JsonWriter json)
    {
        if (_mode is null)
        {
            return;
        }

        json.WriteStartObject("thinking"u8);
        json.WriteString("type"u8, _mode switch { ThinkingMode.Enabled => "enabled"u8, ThinkingMode.Adaptive => "adaptive"u8, _ => "disabled"u8 });
        if (_native is not null)
        {
            if (_native.BudgetTokens is long budget)
            {
                json.WriteNumber("budget_tokens"u8, budget);
            }

            AnthropicMessagesPartWriter.WriteExtras(json, _native.Extras, AnthropicMessagesRequest.ThinkingPointer);
        }
        else if (_mode == ThinkingMode.Enabled)
        {
            json.WriteNumber("budget_tokens"u8, _budget);
        }

        json.WriteEndObject();
    }

    private static AnthropicMessagesThinking PlanNative(
        ChatRequest request, RequestTarget target, LossReport losses, bool lacksThinking, bool isForced)
    {
        ThinkingOptions? thinking = request.Thinking?.Pointer == AnthropicMessagesRequest.ThinkingPointer ? request.Thinking : null;
        if (thinking?.Mode == ThinkingMode.Enabled && lacksThinking)
        {
            losses.Add(thinking.Pointer, NeedsReasoning);
            thinking = null;
        }
        else if (isForced && thinking?.Mode is ThinkingMode.Enabled or ThinkingMode.Adaptive)
        {
            losses.Add(thinking!.Pointer, ExcludedByForce);
            thinking = null;
        }

        long floor = thinking is { Mode: ThinkingMode.Enabled, BudgetTokens: long budget } ? budget + 1 : 0;
        long maxTokens = request.MaxOutputTokens?.Value ?? Math.Max(target.DefaultMaxOutputTokens, floor);
        return new AnthropicMessagesThinking(thinking, thinking?.Mode, 0, request.Thinking?.Effort, maxTokens);
    }

    private static AnthropicMessagesThinking PlanForeign(
        ChatRequest request, RequestTarget target, LossReport losses, bool lacksThinking, bool isForced)
    {
        long maxTokens = request.MaxOutputTokens?.Value ?? target.DefaultMaxOutputTokens;
        if (request.Thinking is not ThinkingOptions asked)
        {
            return new AnthropicMessagesThinking(null, null, 0, null, maxTokens);
        }

        foreach (Extra extra in asked.Extras)
        {
            losses.Add(extra.Pointer, $"{extra.Name} has no counterpart.");
        }

        if (asked.Mode == ThinkingMode.Disabled || asked is { BudgetTokens: null, Effort: "none" or "minimal" })
        {
            return new AnthropicMessagesThinking(null, ThinkingMode.Disabled, 0, null, maxTokens);
        }

        if (isForced)
        {
            asked.Lose(losses, ExcludedByForce);
            return new AnthropicMessagesThinking(null, null, 0, null, maxTokens);
        }

        if (asked is { BudgetTokens: null, Effort: not (null or "low" or "medium" or "high" or "xhigh" or "max") })
        {
            losses.Add(asked.EffortPointer ?? asked.Pointer, "The word for the effort is not known; a medium one is made.");
        }

        if (target.Has(TargetFeatures.AdaptiveThinking))
        {
            return new AnthropicMessagesThinking(null, ThinkingMode.Adaptive, 0, EffortOf(asked), maxTokens);
        }

        if (lacksThinking)
        {
            asked.Lose(losses, NeedsReasoning);
            return new AnthropicMessagesThinking(null, null, 0, null, maxTokens);
        }

        long budget = Math.Max(BudgetMin, asked.BudgetTokens ?? BudgetOf(asked.Effort));
        if (maxTokens > budget)
        {
            return new AnthropicMessagesThinking(null, ThinkingMode.Enabled, budget, null, maxTokens);
        }

        if (request.MaxOutputTokens is null)
        {
            return new AnthropicMessagesThinking(null, ThinkingMode.Enabled, budget, null, maxTokens + budget);
        }

        // The caller's limit is a limit on money: it stands, and reasoning, which counts towards it, takes at most half.
        long half = maxTokens / 2;
        if (half < BudgetMin)
        {
            asked.Lose(losses, $"Reasoning needs at least {BudgetMin} tokens, and as many for the answer: the limit of {maxTokens} leaves no room.");
            return new AnthropicMessagesThinking(null, null, 0, null, maxTokens);
        }

        if (asked.BudgetTokens is not null)
        {
            losses.Add(asked.Pointer, $"Lowered to {half} tokens: the limit of {maxTokens} holds the answer too.");
        }

        return new AnthropicMessagesThinking(null, ThinkingMode.Enabled, half, null, maxTokens);
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
