using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Ballast.Sandbox.Generation;

/// <summary>JSON that validates against the schema asked for, or an object of the fields that the prompt names.</summary>
internal static partial class JsonAnswer
{
    public static string Write(Prompt prompt, PromptWords words, ref Dice dice)
    {
        PlausibleValues plausible = new(words, null, new Dice(0, dice.NextHex(16)));
        JsonNode? made = prompt.AnswerSchema is { } schema
            ? new SchemaValues(schema, plausible).Make()
            : FromPrompt(words, plausible, ref dice);
        return made?.ToJsonString(RelaxedJson.Options) ?? "null";
    }

    private static JsonObject FromPrompt(PromptWords words, PlausibleValues plausible, ref Dice dice)
    {
        JsonObject made = [];
        foreach (Match match in FieldSetTo().Matches(words.Text))
        {
            made[match.Groups[1].Value] = match.Groups[2].Value;
        }

        Match listed = ListedKeys().Match(words.Text);
        if (made.Count == 0 && listed.Success)
        {
            foreach (Match key in KeyText().Matches(listed.Groups[1].Value))
            {
                made.TryAdd(key.Value, plausible.Text(key.Value, "", 0, 200));
            }
        }

        if (made.Count == 0)
        {
            made["answer"] = Wording.Prose(words, ref dice);
        }

        return made;
    }

    [GeneratedRegex("""["'`]([\w-]+)["'`] (?:field|key|property) (?:set to|with(?: the)? value|equal to|being) ["'`]([^"'`\n]*)["'`]""")]
    private static partial Regex FieldSetTo();

    [GeneratedRegex(@"\b(?:keys?|fields?|properties)\b:?\s+((?:[""'`]?[A-Za-z_][\w-]*[""'`]?(?:,? and |, ?)?)+)")]
    private static partial Regex ListedKeys();

    [GeneratedRegex(@"(?!and\b)[A-Za-z_][\w-]*")]
    private static partial Regex KeyText();
}
