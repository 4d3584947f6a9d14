using System.Buffers;
using System.Globalization;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// What a model's name tells of what it takes: the API is one, the models behind it differ by generation. A name without a number (<c>gemini-flash-latest</c>) is taken for
/// the newest.
/// </summary>
internal readonly record struct GeminiModel(string Name)
{
    private const double NewestGeneration = 99;

    private static readonly SearchValues<char> s_number = SearchValues.Create("0123456789.");

    private double Generation
    {
        get
        {
            int at = Name.IndexOf("gemini-", StringComparison.OrdinalIgnoreCase);
            if (at < 0)
            {
                return NewestGeneration;
            }

            ReadOnlySpan<char> rest = Name.AsSpan(at + "gemini-".Length);
            int end = rest.IndexOfAnyExcept(s_number);
            return double.TryParse(end < 0 ? rest : rest[..end], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                ? number
                : NewestGeneration;
        }
    }

    private bool IsPro => Name.Contains("-pro", StringComparison.OrdinalIgnoreCase);

    private bool IsLite => Name.Contains("-lite", StringComparison.OrdinalIgnoreCase);

    /// <summary>Asked to reason by a level (low, high …); older ones by a budget in tokens.</summary>
    public bool TakesLevel => Generation >= 3;

    /// <summary>Reasons at all.</summary>
    public bool Thinks => Generation >= 2.5;

    /// <summary>Refuses a function call of the running turn without a signature.</summary>
    public bool ChecksSignatures => Generation >= 3;

    /// <summary>Takes a form of output beside functions.</summary>
    public bool CombinesFormatAndTools => Generation >= 3;

    /// <summary>Takes pictures within a function's result.</summary>
    public bool TakesMediaInResults => Generation >= 3;

    /// <summary>Reasoning can be switched off.</summary>
    public bool CanStopThinking => !IsPro && !TakesLevel;

    public long BudgetMin => IsPro ? 128 : IsLite ? 512 : 1;

    public long BudgetMax => IsPro ? 32768 : 24576;

    /// <summary>Smallest level: the larger models have none below low.</summary>
    public string LevelMin => IsPro ? "low" : "minimal";
}

/// <summary>
/// What becomes of another protocol's wish that the model reasons: a level for newer models, a budget for older ones. Effort words become 1024, 8192 and 24576 tokens, as in
/// Google's own table for OpenAI's protocol.
/// </summary>
internal readonly record struct GeminiThinkingConfig(long? Budget, string? Level, bool IncludesThoughts)
{
    private const long LowBudget = 1024;

    private const long MediumBudget = 8192;

    private const long HighBudget = 24576;

    public static GeminiThinkingConfig? Plan(ThinkingOptions? asked, GeminiModel model, LossReport losses)
    {
        if (asked is null)
        {
            return null;
        }

        foreach (Extra extra in asked.Extras)
        {
            losses.Add(extra.Pointer, $"{extra.Name} has no counterpart.");
        }

        bool isOff = asked.Mode == ThinkingMode.Disabled || asked is { BudgetTokens: null, Effort: "none" };
        if (!model.Thinks)
        {
            if (!isOff)
            {
                asked.Lose(losses, "The model does not reason.");
            }

            return null;
        }

        if (isOff)
        {
            if (!model.CanStopThinking)
            {
                losses.Add(asked.Pointer, "The model cannot be told not to reason; it is asked to reason as little as it can.");
            }

            return model.TakesLevel ? new GeminiThinkingConfig(null, model.LevelMin, false)
                : new GeminiThinkingConfig(model.CanStopThinking ? 0 : model.BudgetMin, null, false);
        }

        if (asked.Effort is not (null or "minimal" or "low" or "medium" or "high" or "xhigh" or "max"))
        {
            losses.Add(asked.EffortPointer ?? asked.Pointer, "The word for the effort is not known; the model decides.");
        }

        return model.TakesLevel ? new GeminiThinkingConfig(null, LevelOf(asked, model), true) : new GeminiThinkingConfig(BudgetOf(asked, model, losses), null, true);
    }

    private static string? LevelOf(ThinkingOptions asked, GeminiModel model) => asked.Effort switch
    {
        "minimal" => model.LevelMin,
        "low" or "medium" => asked.Effort,
        "high" or "xhigh" or "max" => "high",
        _ => asked.BudgetTokens switch
        {
            null or < 0 => null,
            <= 2048 => "low",
            <= MediumBudget => "medium",
            _ => "high",
        },
    };

    private static long BudgetOf(ThinkingOptions asked, GeminiModel model, LossReport losses)
    {
        long wanted = asked.BudgetTokens ?? asked.Effort switch
        {
            "minimal" or "low" => LowBudget,
            "medium" => MediumBudget,
            "high" => HighBudget,
            "xhigh" or "max" => model.BudgetMax,
            // The model decides.
            _ => -1,
        };
        long budget = wanted < 0 ? wanted : Math.Clamp(wanted, model.BudgetMin, model.BudgetMax);
        if (budget != wanted)
        {
            losses.Add(asked.Pointer, $"The budget was brought to {budget} tokens, which the model takes.");
        }

        return budget;
    }
}
