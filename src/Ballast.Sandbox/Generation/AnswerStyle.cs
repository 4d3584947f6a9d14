namespace Ballast.Sandbox.Generation;

/// <summary>What differs between vendors in an answer before any protocol is involved.</summary>
/// <param name="CallIdPrefix">How ids of tool calls begin.</param>
/// <param name="CallIdLength">How many characters follow the prefix.</param>
/// <param name="RefusesInText">The model refuses in plain text, not through a field or finish reason of its own.</param>
internal sealed record AnswerStyle(string CallIdPrefix, int CallIdLength, bool RefusesInText)
{
    /// <summary>Tokens that a call costs beside its name and arguments.</summary>
    public const int CallTokens = 6;

    public string NewCallId(ref Dice dice) => CallIdPrefix + dice.NextId(CallIdLength);
}
