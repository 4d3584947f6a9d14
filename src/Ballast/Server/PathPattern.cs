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
    /// <summary>What stands between the two halves of a model's name that clients have taken apart at its slash; empty where they do not.</summary>
    public string Joint { get; init; } = "";

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
        int joint = Joint.Length > 0 && length > 0 ? path.IndexOf(Joint, start, length, StringComparison.Ordinal) : 0;
        if (length <= 0 || joint < 0)
        {
            return null;
        }

        // Kestrel unescapes all of a path but this.
        string model = path.Substring(start, length).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        return Joint.Length > 0 ? string.Concat(model.AsSpan(0, joint - start), "/", model.AsSpan(joint - start + Joint.Length)) : model;
    }
}
