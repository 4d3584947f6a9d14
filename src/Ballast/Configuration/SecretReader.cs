using System.Text;

namespace Ballast.Configuration;

/// <summary>
/// Takes credentials from the environment or from a file, never from the configuration itself: a file that is shown, mailed and committed holds no key.
/// </summary>
internal static class SecretReader
{
    /// <summary>Longest credential, in characters.</summary>
    public const int LengthMax = 8192;

    /// <summary>Reads <c>name</c>, <c>name_env</c> and <c>name_file</c>, of which at most one may be written.</summary>
    /// <param name="context">Shared by the whole load.</param>
    /// <param name="section">Where the keys stand.</param>
    /// <param name="name"><c>api_key</c> or <c>key</c>.</param>
    /// <param name="others">Further ways to give the same credential.</param>
    /// <param name="literal">Given the scalar when it is the credential itself; null refuses that.</param>
    /// <param name="mayHoldSpaces">It is a whole header's value, such as <c>Bearer …</c>.</param>
    public static SecretOptions? Read(
        LoadContext context, SectionReader section, string name, IReadOnlyList<string> others, Func<YamlScalar, SecretOptions?>? literal, bool mayHoldSpaces = false)
    {
        YamlScalar? direct = section.Scalar(name);
        string? variable = section.Scalar($"{name}_env")?.Text;
        string? file = section.Text($"{name}_file");
        string[] all = [name, $"{name}_env", $"{name}_file", .. others];
        string[] ways = [.. all.Where(way => context.Source.Has(section.PathOf(way)))];
        if (ways.Length > 1)
        {
            section.Error(ways[1], $"'{ways[1]}' and '{ways[0]}' say the same thing twice", "keep one of the two");
            return null;
        }

        if (direct is not null)
        {
            context.Faults.Conceal(direct.Text);
            return Interpolation.SoleVariable(direct.Text) is { } sole ? FromEnvironment(context, section, name, sole, mayHoldSpaces)
                : literal is not null && !direct.Text.Contains('$', StringComparison.Ordinal) ? literal(direct)
                : Literal(section, name);
        }

        return variable is not null ? FromEnvironment(context, section, $"{name}_env", variable, mayHoldSpaces)
            : file is not null ? FromFile(context, section, $"{name}_file", file, mayHoldSpaces)
            : null;
    }

    private static SecretOptions? Literal(SectionReader section, string key)
    {
        section.Error(key, $"'{key}' must not hold the key itself", $"write {key}: ${{NAME}} and set NAME, or use {key}_file");
        return null;
    }

    private static SecretOptions? FromEnvironment(LoadContext context, SectionReader section, string key, string variable, bool mayHoldSpaces)
    {
        if (!Interpolation.IsName(variable))
        {
            section.Error(key, $"'{key}' must be the name of an environment variable", "letters, digits and '_'");
            return null;
        }

        if (context.Environment(variable) is not { Length: > 0 } value)
        {
            section.Error(key, $"environment variable {variable} is not set", "set it before you start Ballast");
            return null;
        }

        return Check(context, section, key, value, $"environment variable {variable}", mayHoldSpaces);
    }

    private static SecretOptions? FromFile(LoadContext context, SectionReader section, string key, string path, bool mayHoldSpaces)
    {
        try
        {
            using FileStream stream = new(context.Locate(path), FileMode.Open, FileAccess.Read, FileShare.Read);
            byte[] bytes = new byte[LengthMax + 2];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Check(context, section, key, Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\r', '\n'), "a file", mayHoldSpaces);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            section.Error(key, $"the file of '{key}' cannot be read: {error.GetType().Name}", "paths are taken from beside the configuration file");
            return null;
        }
    }

    /// <summary>A credential becomes a header value: visible ASCII only.</summary>
    public static bool IsSound(string value) => value.Length is > 0 and <= LengthMax && value.All(static c => c is > ' ' and < '\u007f');

    private static SecretOptions? Check(LoadContext context, SectionReader section, string key, string value, string source, bool mayHoldSpaces)
    {
        context.Faults.Conceal(value);
        if (IsSound(mayHoldSpaces ? value.Replace(' ', '_') : value))
        {
            return new SecretOptions(value, source);
        }

        section.Error(key, $"the value of '{key}' (from {source}) is empty, too long or holds characters that no key has", "look for line ends and spaces");
        return null;
    }
}
