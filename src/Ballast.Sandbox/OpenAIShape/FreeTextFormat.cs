using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Reads what text a custom tool takes: alike in both of OpenAI's protocols, but that Chat Completions has the grammar in an object of its own.</summary>
internal static partial class FreeTextFormat
{
    private static readonly TimeSpan s_matchLimit = TimeSpan.FromMilliseconds(200);

    /// <summary>The regular expression that the text must match as a whole; null where there is none, or a grammar of another kind.</summary>
    public static string? ReadPattern(JsonElement tool, string path, bool isNested)
    {
        path += ".format";
        if (ChatFields.Object(tool, "format", path) is not { } format)
        {
            return null;
        }

        string type = ChatFields.Text(format, "type", path + ".type") ?? throw ChatErrors.Missing(path + ".type");
        if (type == "text")
        {
            return null;
        }

        if (type != "grammar")
        {
            throw ChatErrors.BadValue(path + ".type", $"Invalid value: '{type}'. Supported values are: 'text' and 'grammar'.");
        }

        JsonElement grammar = isNested ? ChatFields.Object(format, "grammar", path + ".grammar") ?? throw ChatErrors.Missing(path + ".grammar") : format;
        path += isNested ? ".grammar" : "";
        string definition = ChatFields.Text(grammar, "definition", path + ".definition") ?? throw ChatErrors.Missing(path + ".definition");
        string syntax = ChatFields.Text(grammar, "syntax", path + ".syntax") ?? throw ChatErrors.Missing(path + ".syntax");
        switch (syntax)
        {
            case "regex":
                return IsPattern(definition)
                    ? definition
                    : throw ChatErrors.BadValue(path + ".definition", $"Invalid '{path}.definition': the regular expression could not be parsed.");
            case "lark":
                return StartRule().IsMatch(definition)
                    ? null
                    : throw ChatErrors.BadValue(path + ".definition", $"Invalid '{path}.definition': the grammar has no rule 'start'.");
            default:
                throw ChatErrors.BadValue(path + ".syntax", $"Invalid value: '{syntax}'. Supported values are: 'lark' and 'regex'.");
        }
    }

    private static bool IsPattern(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant, s_matchLimit);
            return pattern.Length > 0;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^\s*\??start(?:\.\d+)?\s*:", RegexOptions.Multiline)]
    private static partial Regex StartRule();
}
