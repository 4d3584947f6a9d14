using System.Globalization;

namespace Ballast.Protocols;

/// <summary>A part of a list of models. A cursor is a model's name, so that pages stay whole when the list changes between two of them.</summary>
internal readonly record struct ModelPage(IReadOnlyList<ModelDescription> Models, bool HasMore)
{
    /// <summary>No vendor gives more at once, whatever is asked for.</summary>
    public const int SizeMax = 1000;

    /// <summary>The page that follows a model; the first page where <paramref name="name"/> is null. Null where there is no such model.</summary>
    public static ModelPage? After(IReadOnlyList<ModelDescription> models, string? name, int size)
    {
        int start = name is null ? 0 : IndexOf(models, name) + 1;
        return name is not null && start == 0 ? null : new([.. models.Skip(start).Take(size)], start + size < models.Count);
    }

    /// <summary>The page that ends just before a model. Null where there is no such model.</summary>
    public static ModelPage? Before(IReadOnlyList<ModelDescription> models, string name, int size)
    {
        int end = IndexOf(models, name);
        int start = Math.Max(0, end - size);
        return end < 0 ? null : new([.. models.Skip(start).Take(end - start)], start > 0);
    }

    /// <summary>A whole number out of a query; null where it is none.</summary>
    public static int? Size(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int size) ? size : null;

    private static int IndexOf(IReadOnlyList<ModelDescription> models, string name)
    {
        for (int index = 0; index < models.Count; index++)
        {
            if (models[index].Name == name)
            {
                return index;
            }
        }

        return -1;
    }
}
