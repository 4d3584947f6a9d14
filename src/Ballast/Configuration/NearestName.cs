namespace Ballast.Configuration;

/// <summary>Finds the name that a mistyped one was probably meant to be.</summary>
internal static class NearestName
{
    /// <summary>Names longer than this are not compared: it bounds the work for a hostile file.</summary>
    private const int LengthMax = 128;

    /// <summary>A hint such as <c>did you mean 'region'?</c>, else <paramref name="otherwise"/>.</summary>
    public static string Hint(string written, IEnumerable<string> known, string otherwise) =>
        Find(written, known) is { } name ? $"did you mean '{name}'?" : otherwise;

    public static string? Find(string written, IEnumerable<string> known)
    {
        if (written.Length > LengthMax)
        {
            return null;
        }

        string? best = null;
        int bestDistance = Math.Max(1, written.Length / 3) + 1;
        foreach (string name in known)
        {
            if (name.Length <= LengthMax && Math.Abs(name.Length - written.Length) < bestDistance
                && Distance(written, name) is int distance && distance < bestDistance)
            {
                (best, bestDistance) = (name, distance);
            }
        }

        return best;
    }

    /// <summary>Edits (insert, delete, replace) between two names, letter case aside.</summary>
    private static int Distance(string left, string right)
    {
        Span<int> row = stackalloc int[right.Length + 1];
        for (int j = 0; j <= right.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                bool same = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]);
                int replaced = diagonal + (same ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
