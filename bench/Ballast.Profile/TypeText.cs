namespace Ballast.Profile;

/// <summary>A type as the runtime writes it: full name with plus signs before nested types, its arguments in brackets, and perhaps the assembly.</summary>
internal sealed record TypeText(string Name, IReadOnlyList<TypeText> Arguments, bool IsArray)
{
    /// <summary>What stands for any reference type in code that they share.</summary>
    public const string Canon = "System.__Canon";

    /// <summary>Null where it is none that a profile can name: a pointer, an array of several dimensions.</summary>
    public static TypeText? TryParse(string text)
    {
        int at = 0;
        return Parse(text, ref at);
    }

    private static TypeText? Parse(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && text[at] is not ('[' or ']' or ','))
        {
            at++;
        }

        string name = text[start..at];
        List<TypeText> arguments = [];
        bool isArray = false;
        if (at < text.Length && text[at] == '[')
        {
            if (text[at + 1] == ']')
            {
                isArray = true;
                at += 2;
            }
            else if (!TryParseArguments(text, ref at, arguments))
            {
                return null;
            }
        }

        return name.Length == 0 || name.IndexOfAny(['*', '&', ' ']) >= 0 || (at < text.Length && text[at] == '[') ? null : new TypeText(name, arguments, isArray);
    }

    /// <summary>Arguments with their assembly stand in brackets of their own, others do not.</summary>
    private static bool TryParseArguments(string text, ref int at, List<TypeText> arguments)
    {
        at++;
        while (true)
        {
            bool isQualified = text[at] == '[';
            at += isQualified ? 1 : 0;
            if (Parse(text, ref at) is not { } argument)
            {
                return false;
            }

            arguments.Add(argument);
            if (isQualified)
            {
                at = text.IndexOf(']', at) + 1;
            }

            if (at <= 0 || at >= text.Length || text[at] is not (',' or ']'))
            {
                return false;
            }

            if (text[at++] == ']')
            {
                return true;
            }
        }
    }
}
