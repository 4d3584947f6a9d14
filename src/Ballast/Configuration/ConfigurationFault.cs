namespace Ballast.Configuration;

/// <summary>One thing wrong with (or, as a warning, doubtful about) a configuration.</summary>
/// <param name="Path">Where it stands, for example <c>providers.azure.region</c>.</param>
/// <param name="Line">1-based line in the file; 0 where there is no file.</param>
/// <param name="Column">1-based column in the file; 0 where there is no file.</param>
/// <param name="Message">What is wrong. Never holds a value that came from the environment or a file.</param>
/// <param name="Hint">What to do about it; may be empty.</param>
/// <param name="IsWarning">The configuration is applied all the same.</param>
public sealed record ConfigurationFault(string Path, int Line, int Column, string Message, string Hint, bool IsWarning)
{
    /// <summary>As a compiler would print it: <c>ballast.yaml:12:5: error: … (hint: …)</c>.</summary>
    public string Print(string fileName)
    {
        string place = Line > 0 ? $"{fileName}:{Line}:{Column}" : fileName;
        string hint = Hint.Length > 0 ? $" (hint: {Hint})" : "";
        return $"{place}: {(IsWarning ? "warning" : "error")}: {Message}{hint}";
    }
}
