using System.Text;

namespace Ballast.Ledger.Spool;

/// <summary>Gives the texts that many rows share as one string each, so that reading a row makes few objects. Not thread-safe.</summary>
internal sealed class SpoolWords
{
    private const int PlacesMax = 1024;
    private const int LengthMax = 128;

    private readonly string?[] _words = new string?[PlacesMax];

    public string Find(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > LengthMax)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        HashCode hash = default;
        hash.AddBytes(utf8);
        ref string? known = ref _words[(uint)hash.ToHashCode() % PlacesMax];
        if (known is null || !Ascii.Equals(utf8, known))
        {
            known = Encoding.UTF8.GetString(utf8);
        }

        return known;
    }
}
