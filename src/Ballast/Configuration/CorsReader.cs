using System.Collections.Frozen;

namespace Ballast.Configuration;

/// <summary>Reads <c>server.cors</c>.</summary>
internal static class CorsReader
{
    private const string Example = "as a browser writes it: https://app.example.com, without a path and without the usual port";

    /// <summary>Null where no web page may call.</summary>
    public static CorsOptions? Read(SectionReader? section)
    {
        if (section is null)
        {
            return null;
        }

        HashSet<string> origins = new(StringComparer.Ordinal);
        foreach ((YamlScalar scalar, string path) in section.Scalars("origins") ?? [])
        {
            if (section.ExpandAt(scalar, path) is not { } origin)
            {
                continue; // told already
            }

            if (origin != CorsOptions.AnyOrigin && !IsOrigin(origin))
            {
                section.Fault(scalar, path, "not the origin of a web page", Example);
            }
            else if (!origins.Add(origin))
            {
                section.Fault(scalar, path, "the same origin is written twice", "");
            }
        }

        section.Require("origins", "origins: [https://app.example.com]");
        if (origins.Count > CorsOptions.OriginsMax)
        {
            section.Error("origins", $"more than {CorsOptions.OriginsMax} origins", "let pages call their own server, and that server Ballast");
        }

        if (origins.Contains(CorsOptions.AnyOrigin))
        {
            section.Warning("origins", "any web page may call with a key that it knows", "name the pages' origins");
        }

        section.End();
        return origins.Count == 0 ? null : new CorsOptions(origins.ToFrozenSet(StringComparer.Ordinal));
    }

    private static bool IsOrigin(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Host.Length > 0 && address.GetLeftPart(UriPartial.Authority) == text
        && text.All(static letter => char.IsAscii(letter) && !char.IsAsciiLetterUpper(letter)) && !text.Contains('@', StringComparison.Ordinal);
}
