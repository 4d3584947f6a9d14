using System.Net;
using System.Text.RegularExpressions;

namespace Ballast.Balance;

/// <summary>
/// Address ranges of a cloud, from whatever file the user has of it: every range in CIDR notation that stands in the text is taken, be it JSON, CSV or a list.
/// </summary>
public sealed partial class CloudRanges
{
    /// <summary>Largest file taken, in bytes: the published ones have a few megabytes.</summary>
    public const int FileBytesMax = 64 * 1024 * 1024;

    private readonly Dictionary<int, HashSet<UInt128>>[] _prefixes = [[], []];

    /// <summary>Ranges read.</summary>
    public int Count { get; private set; }

    public static CloudRanges Parse(string text)
    {
        CloudRanges ranges = new();
        foreach (ValueMatch match in Cidr().EnumerateMatches(text))
        {
            if (IPNetwork.TryParse(text.AsSpan(match.Index, match.Length), out IPNetwork network))
            {
                ranges.Add(network);
            }
        }

        return ranges;
    }

    public bool Contains(IPAddress address)
    {
        (UInt128 bits, int length, int family) = BitsOf(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
        return _prefixes[family].Any(prefix => prefix.Value.Contains(prefix.Key == 0 ? 0 : bits >> (length - prefix.Key)));
    }

    private void Add(IPNetwork network)
    {
        (UInt128 bits, int length, int family) = BitsOf(network.BaseAddress);
        if (!_prefixes[family].TryGetValue(network.PrefixLength, out HashSet<UInt128>? known))
        {
            _prefixes[family][network.PrefixLength] = known = [];
        }

        Count += known.Add(network.PrefixLength == 0 ? 0 : bits >> (length - network.PrefixLength)) ? 1 : 0;
    }

    private static (UInt128 Bits, int Length, int Family) BitsOf(IPAddress address)
    {
        UInt128 bits = 0;
        byte[] bytes = address.GetAddressBytes();
        foreach (byte part in bytes)
        {
            bits = (bits << 8) | part;
        }

        return (bits, 8 * bytes.Length, bytes.Length == 4 ? 0 : 1);
    }

    [GeneratedRegex(@"[0-9A-Fa-f:.]{2,39}/\d{1,3}")]
    private static partial Regex Cidr();
}
