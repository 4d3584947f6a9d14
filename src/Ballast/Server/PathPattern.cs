namespace Ballast.Server;

/// <summary>
/// A path that names a model: what stands between a beginning and an end, its slashes raw or escaped. Where parts of the beginning vary (a project, a region), only
/// what stands before and after them is written: <see cref="Prefix"/>, anything, <see cref="Infix"/>, the model, <see cref="Suffix"/>.
/// </summary>
/// <param name="Prefix">The path's beginning.</param>
/// <param name="Infix">What stands right before the model where the beginning varies; else empty.</param>
/// <param name="Suffix">The path's end; empty where the model ends it.</param>
internal sealed record PathPattern(string Prefix, string Infix, string Suffix)
{
    /// <summary>The model that <paramref name="path"/> names; null where the path is another one or the model is empty.</summary>
    public string? Match(string path)
    {
        if (!path.StartsWith(Prefix, StringComparison.Ordinal) || !path.EndsWith(Suffix, StringComparison.Ordinal))
        {
            return null;
        }

        int start = Prefix.Length;
        if (Infix.Length > 0)
        {
            int infix = path.IndexOf(Infix, start, StringComparison.Ordinal);
            if (infix < 0)
            {
                return null;
            }

            start = infix + Infix.Length;
        }

        int length = path.Length - Suffix.Length - start;
        // Kestrel unescapes all of a path but this.
        return length > 0 ? path.Substring(start, length).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase) : null;
    }
}
