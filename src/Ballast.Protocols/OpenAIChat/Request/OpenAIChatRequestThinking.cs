using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// How much reasoning is asked for: OpenAI's <c>reasoning_effort</c>, OpenRouter's <c>reasoning</c>, DeepSeek's and Z.ai's <c>thinking</c>, Alibaba's
/// <c>enable_thinking</c>.
/// </summary>
internal static partial class OpenAIChatRequest
{
    /// <summary>A budget of at most so many tokens is a low effort; at most <see cref="MediumEffortTokensMax"/> a medium one; more is high.</summary>
    private const long LowEffortTokensMax = 2048;

    private const long MediumEffortTokensMax = 8192;

    /// <summary>The first of these that a request has is its wish, and the others are kept as extras.</summary>
    private static readonly string[] s_spellings = ["reasoning_effort", "reasoning", "thinking", "enable_thinking"];

    /// <summary>The wish that was read, or null. A switch and an effort beside it are one wish (DeepSeek's form) unless they contradict each other: then the switch counts.</summary>
    private static ThinkingOptions? SettleWish(List<Extra> spelled, List<Extra> extras)
    {
        Extra? chosen = spelled.OrderBy(extra => Array.IndexOf(s_spellings, extra.Name)).FirstOrDefault();
        if (chosen is null)
        {
            return null;
        }

        ThinkingOptions thinking = ReadThinking(chosen);
        if (chosen.Name == "reasoning_effort" && spelled.Find(static extra => extra.Name == "thinking") is { } other)
        {
            ThinkingOptions toggle = ReadThinking(other);
            if ((toggle.Mode == ThinkingMode.Disabled) != (thinking.Mode == ThinkingMode.Disabled))
            {
                (chosen, thinking) = (other, toggle);
            }
            else if (toggle is { Mode: ThinkingMode.Enabled, BudgetTokens: null, Effort: null })
            {
                extras.AddRange(spelled.Where(extra => extra != chosen && extra != other));
                return toggle with { Effort = thinking.Effort, EffortPointer = thinking.Pointer };
            }
        }

        extras.AddRange(spelled.Where(extra => extra != chosen));
        return thinking;
    }

    private static ThinkingOptions ReadThinking(Extra extra)
    {
        JsonCursor json = new(extra.Value.Utf8);
        json.Begin();
        if (extra.Name == "enable_thinking")
        {
            return new ThinkingOptions(json.Token == JsonTokenType.True ? ThinkingMode.Enabled : ThinkingMode.Disabled, extra.Pointer);
        }

        if (extra.Name == "reasoning_effort")
        {
            string effort = json.Text(extra.Pointer);
            return new ThinkingOptions(effort == "none" ? ThinkingMode.Disabled : ThinkingMode.Enabled, extra.Pointer) { Effort = effort };
        }

        json.Expect(JsonTokenType.StartObject, "an object", extra.Pointer);
        ThinkingOptions options = new(ThinkingMode.Enabled, extra.Pointer);
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            string at = JsonCursor.Below(extra.Pointer, name);
            switch (name)
            {
                case "effort" when !json.IsNull:
                    options = options with { Effort = json.Text(at) };
                    options = options with { Mode = options.Effort == "none" ? ThinkingMode.Disabled : options.Mode };
                    break;
                case "max_tokens" or "budget_tokens" when !json.IsNull:
                    options = options with { BudgetTokens = json.Integer(at) };
                    break;
                case "enabled" when json.Token == JsonTokenType.False:
                    options = options with { Mode = ThinkingMode.Disabled };
                    break;
                case "type" when !json.IsNull:
                    string type = json.Text(at);
                    options = options with { Mode = type == "disabled" ? ThinkingMode.Disabled : type == "adaptive" ? ThinkingMode.Adaptive : options.Mode };
                    break;
                default:
                    extras.Add(json.TakeExtra(name, extra.Pointer));
                    break;
            }
        }

        return options with { Extras = extras };
    }

    private static void WriteThinking(Output output)
    {
        if (output.Request.Thinking is not { } thinking)
        {
            return;
        }

        if (output.IsOwn)
        {
            WriteOwnThinking(output, thinking);
            return;
        }

        WriteExtras(output, thinking.Extras, thinking.Pointer);
        string? effort = thinking.Mode == ThinkingMode.Disabled ? null : EffortOf(thinking);
        if (output.Target.Has(TargetFeatures.ThinkingSwitch))
        {
            WriteSwitch(output, thinking);
        }
        else if (!output.Target.Has(TargetFeatures.ReasoningEffort))
        {
            thinking.Lose(
                output.Losses,
                thinking.Mode == ThinkingMode.Disabled ? "The endpoint cannot be told not to reason." : "The endpoint cannot be asked to reason.");
        }
        else if (effort is not null)
        {
            output.Json.WriteString("reasoning_effort"u8, effort);
        }
        else if (thinking.Mode == ThinkingMode.Disabled && TakesNone(output.Target))
        {
            output.Json.WriteString("reasoning_effort"u8, "none"u8);
        }
        else if (thinking.Mode == ThinkingMode.Disabled && !IsWithoutReasoning(output.Target))
        {
            output.Losses.Add(thinking.Pointer, "Reasoning cannot be switched off for every model of this endpoint.");
        }
    }

    /// <summary>The switch, and beside it how hard to think where that was said and the endpoint has words for it; else that is the vendor's own measure.</summary>
    private static void WriteSwitch(Output output, ThinkingOptions thinking)
    {
        bool isOff = thinking.Mode == ThinkingMode.Disabled || thinking.Effort == "none";
        output.Json.WriteStartObject("thinking"u8);
        output.Json.WriteString("type"u8, isOff ? "disabled"u8 : "enabled"u8);
        output.Json.WriteEndObject();
        if (isOff || thinking is { Effort: null, BudgetTokens: null })
        {
            return;
        }

        if (output.Target.Has(TargetFeatures.ReasoningEffort))
        {
            output.Json.WriteString("reasoning_effort"u8, thinking.Effort ?? EffortOf(thinking));
        }
        else
        {
            output.Losses.Add(thinking.EffortPointer ?? thinking.Pointer, "The endpoint reasons or does not: it cannot be told how much.");
        }
    }

    /// <summary>OpenAI's word for no reasoning is an error for its models before GPT-5.1. Other vendors' models at an endpoint that has the field take it.</summary>
    private static bool TakesNone(RequestTarget target) =>
        target.Vendor != "openai"
        || (target.Model.StartsWith("gpt-", StringComparison.Ordinal)
            && double.TryParse(VersionOf(target.Model), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double version) && version > 5);

    /// <summary>OpenAI's models that never reason have nothing to be switched off.</summary>
    private static bool IsWithoutReasoning(RequestTarget target) =>
        target.Vendor == "openai" && (target.Model.StartsWith("gpt-3.5", StringComparison.Ordinal) || target.Model.StartsWith("gpt-4", StringComparison.Ordinal));

    private static string VersionOf(string model)
    {
        int end = model.AsSpan(4).IndexOf('-');
        return end < 0 ? model[4..] : model.Substring(4, end);
    }

    private static string EffortOf(ThinkingOptions thinking) => thinking.Effort switch
    {
        "max" => "high",
        string effort => effort,
        null => thinking.BudgetTokens switch
        {
            // Some models do not reason unless they are asked to; how much is the vendor's own measure then.
            null => "medium",
            <= LowEffortTokensMax => "low",
            <= MediumEffortTokensMax => "medium",
            _ => "high",
        },
    };

    private static void WriteOwnThinking(Output output, ThinkingOptions thinking)
    {
        Utf8JsonWriter json = output.Json;
        if (thinking.Pointer == "/reasoning_effort")
        {
            json.WriteString("reasoning_effort"u8, thinking.Effort);
            return;
        }

        if (thinking.Pointer == "/enable_thinking")
        {
            json.WriteBoolean("enable_thinking"u8, thinking.Mode != ThinkingMode.Disabled);
            return;
        }

        if (thinking.EffortPointer is not null)
        {
            json.WriteString("reasoning_effort"u8, thinking.Effort);
        }

        bool isRouter = thinking.Pointer == "/reasoning";
        json.WriteStartObject(isRouter ? "reasoning"u8 : "thinking"u8);
        if (thinking is { Effort: string effort, EffortPointer: null })
        {
            json.WriteString("effort"u8, effort);
        }

        if (thinking.BudgetTokens is long budget)
        {
            json.WriteNumber(isRouter ? "max_tokens"u8 : "budget_tokens"u8, budget);
        }

        if (!isRouter)
        {
            json.WriteString("type"u8, thinking.Mode switch
            {
                ThinkingMode.Disabled => "disabled"u8,
                ThinkingMode.Adaptive => "adaptive"u8,
                _ => "enabled"u8,
            });
        }
        else if (thinking.Mode == ThinkingMode.Disabled && thinking.Effort != "none")
        {
            json.WriteBoolean("enabled"u8, false);
        }

        WriteExtras(output, thinking.Extras, thinking.Pointer);
        json.WriteEndObject();
    }
}
