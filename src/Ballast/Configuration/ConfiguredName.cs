namespace Ballast.Configuration;

/// <summary>Which names a configuration may use. Narrow on purpose: names go into headers, file reports, metrics and the ledger.</summary>
public static class ConfiguredName
{
    public const int LengthMax = 128;
    public const string WordRule = "lower-case letters, digits, '.', '_' and '-', at most 64";
    public const string ReferenceRule = "letters, digits and . _ - : / @ +, at most 128, no slash at either end";

    /// <summary>Providers, keys, vendors, platforms, regions, geographies.</summary>
    public static bool IsWord(string name) =>
        name.Length is > 0 and <= 64
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');

    /// <summary>Models, deployments (<c>provider/model</c>) and prices.</summary>
    public static bool IsReference(string name) =>
        name.Length is > 0 and <= LengthMax
        && char.IsAsciiLetterOrDigit(name[0]) && name[^1] != '/'
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or ':' or '/' or '@' or '+');
}
