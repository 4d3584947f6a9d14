using System.Text;

namespace Ballast.Configuration;

/// <summary>
/// Puts environment variables into a value: <c>${NAME}</c>, <c>${NAME:-default}</c> (also where the variable is empty) and <c>$$</c> for a dollar sign.
/// It runs on values that were already parsed, so that a variable's content can never become structure.
/// </summary>
internal static class Interpolation
{
    /// <summary>False with a message (which names the variable, never its content) where it cannot be done.</summary>
    public static bool TryExpand(string text, Func<string, string?> environment, out string result, out string message)
    {
        message = "";
        result = text;
        if (!text.Contains('$', StringComparison.Ordinal))
        {
            return true;
        }

        StringBuilder output = new();
        int at = 0;
        while (at < text.Length)
        {
            int dollar = text.IndexOf('$', at);
            if (dollar < 0 || dollar == text.Length - 1)
            {
                break;
            }

            output.Append(text, at, dollar - at);
            at = dollar + 2;
            if (text[dollar + 1] == '$')
            {
                output.Append('$');
            }
            else if (text[dollar + 1] != '{')
            {
                output.Append(text, dollar, 2);
            }
            else if (!TryVariable(text, ref at, environment, output, out message))
            {
                return false;
            }
        }

        result = output.Append(text, at, text.Length - at).ToString();
        return true;
    }

    /// <summary>The name in a value that is <c>${NAME}</c> and nothing else; null for any other value.</summary>
    public static string? SoleVariable(string text) =>
        text.Length > 3 && text.StartsWith("${", StringComparison.Ordinal) && text[^1] == '}' && IsName(text[2..^1]) ? text[2..^1] : null;

    public static bool IsName(string name) =>
        name.Length is > 0 and <= 128 && !char.IsAsciiDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static bool TryVariable(
        string text, ref int at, Func<string, string?> environment, StringBuilder output, out string message)
    {
        message = "";
        int end = text.IndexOf('}', at);
        if (end < 0)
        {
            message = "'${' is never closed";
            return false;
        }

        string inner = text[at..end];
        at = end + 1;
        int split = inner.IndexOf(":-", StringComparison.Ordinal);
        string name = split < 0 ? inner : inner[..split];
        if (!IsName(name))
        {
            message = "'${…}' does not hold the name of an environment variable";
            return false;
        }

        string? value = environment(name);
        if (split >= 0 && string.IsNullOrEmpty(value))
        {
            value = inner[(split + 2)..];
        }

        if (value is null)
        {
            message = $"environment variable {name} is not set";
            return false;
        }

        output.Append(value);
        return true;
    }
}
