using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// Encrypted reasoning: who may read it, and under which mark it travels elsewhere. Bare it stands only where OpenAI itself gave it to a caller of this protocol; a
/// mark names the vendor and, where it is known, the account: another account of the same vendor cannot decrypt it.
/// </summary>
internal static class OpenAIResponsesReasoning
{
    /// <summary>Before marked data that was sealed whole (no text belongs to it); a signature never begins so.</summary>
    private const string Sealed = "sealed:";

    /// <summary>The endpoint gives encrypted reasoning when asked, and does not refuse the question: models that do not reason do.</summary>
    public static bool IsEncrypted(RequestTarget target, bool asksReasoning) =>
        target.Vendor == OpenAIResponsesProtocol.Issuer && target.Has(TargetFeatures.ReasoningEffort) && (asksReasoning || IsReasoningModel(target.Model));

    private static bool IsReasoningModel(string model)
    {
        string name = model[(model.LastIndexOf('/') + 1)..].ToLowerInvariant();
        name = name.StartsWith("openai.", StringComparison.Ordinal) ? name["openai.".Length..] : name;
        return (name.Length > 1 && name[0] == 'o' && char.IsAsciiDigit(name[1])) || name.StartsWith("codex", StringComparison.Ordinal)
            || (name.StartsWith("gpt-", StringComparison.Ordinal) && name.Length > 4 && name[4] is >= '5' and <= '9' && !name.Contains("chat", StringComparison.Ordinal));
    }

    /// <summary>The issuer's name in marks: vendor and account.</summary>
    public static string IssuerOf(string vendor, string account) => account.Length == 0 ? vendor : $"{vendor}@{account}";

    /// <summary>Reasoning of this issuer can be read at the target.</summary>
    public static bool MayGo(string issuer, RequestTarget target)
    {
        int at = issuer.IndexOf('@');
        return at < 0 ? issuer == target.Vendor : issuer.AsSpan(0, at).SequenceEqual(target.Vendor) && (target.Account.Length == 0 || issuer.AsSpan(at + 1).SequenceEqual(target.Account));
    }

    /// <summary>An item's reasoning as a part: its text with the signature over it, or what is sealed.</summary>
    public static Part PartOf(string text, string? encrypted, string pointer)
    {
        string? issuer = encrypted is null ? null : OpenAIResponsesProtocol.Issuer;
        if (encrypted is not null && ForeignThinking.TryUnwrap(encrypted, out string marked, out string? inner))
        {
            issuer = marked;
            encrypted = inner;
            if (encrypted?.StartsWith(Sealed, StringComparison.Ordinal) == true)
            {
                return new RedactedThinkingPart(encrypted[Sealed.Length..], issuer, pointer);
            }
        }
        else if (encrypted is not null && text.Length == 0)
        {
            return new RedactedThinkingPart(encrypted, issuer, pointer);
        }

        return new ThinkingPart(text, pointer) { Issuer = issuer, Signature = encrypted };
    }

    public static bool IsSealed(string value) => value.StartsWith(Sealed, StringComparison.Ordinal);

    /// <summary>What a mark held, as its issuer gave it.</summary>
    public static string Unsealed(string value) => value.StartsWith(Sealed, StringComparison.Ordinal) ? value[Sealed.Length..] : value;

    /// <summary>Marks a signature, or sealed reasoning, for a caller of this protocol.</summary>
    public static string Mark(string issuer, string? value, bool isSealed) => ForeignThinking.Wrap(issuer, isSealed ? Sealed + value : value);
}
