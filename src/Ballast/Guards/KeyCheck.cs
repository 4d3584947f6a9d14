using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ballast.Catalog;
using Ballast.Exchanges;

namespace Ballast.Guards;

/// <summary>Knows an API key by its digest: no key is kept, none is compared as text, and an unknown one costs a hash and no I/O.</summary>
public static class KeyCheck
{
    /// <summary>Longest key looked at, in characters; a longer one is unknown.</summary>
    public const int KeyCharactersMax = 512;

    private static readonly ConditionalWeakTable<CatalogSnapshot, Dictionary<ulong, ApiKey>> s_indices = [];

    /// <summary>
    /// What was found for a header's value, by the very instance of the text: the server hands out the same one for each request of a connection, so that only the
    /// first pays for the hash. Weak: no key lives longer for it. Only known keys are remembered, and only for the catalog that knows them.
    /// </summary>
    private static readonly ConditionalWeakTable<string, Verdict> s_verdicts = [];

    /// <exception cref="GatewayException">The key is missing or unknown.</exception>
    public static ApiKey Find(CatalogSnapshot catalog, ReadOnlyMemory<char> key)
    {
        if (key.IsEmpty)
        {
            throw new GatewayException(GatewayError.MissingKey);
        }

        bool hasHeader = MemoryMarshal.TryGetString(key, out string? header, out int start, out int length);
        if (hasHeader && s_verdicts.TryGetValue(header!, out Verdict? verdict)
            && ReferenceEquals(verdict.Catalog, catalog) && verdict.Start == start && verdict.Length == length)
        {
            return verdict.Key;
        }

        ApiKey found = Judge(catalog, key.Span) ?? throw new GatewayException(GatewayError.InvalidKey);
        if (hasHeader)
        {
            s_verdicts.AddOrUpdate(header!, new Verdict(catalog, found, start, length));
        }

        return found;
    }

    private static ApiKey? Judge(CatalogSnapshot catalog, ReadOnlySpan<char> key)
    {
        if (key.Length > KeyCharactersMax)
        {
            return null;
        }

        Span<byte> utf8 = stackalloc byte[KeyCharactersMax * 3];
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(key, utf8)], digest);
        Dictionary<ulong, ApiKey> index = s_indices.GetValue(catalog, Index);
        return index.TryGetValue(BinaryPrimitives.ReadUInt64LittleEndian(digest), out ApiKey? found)
            && CryptographicOperations.FixedTimeEquals(found.Digest.Span, digest) ? found : null;
    }

    private static Dictionary<ulong, ApiKey> Index(CatalogSnapshot catalog)
    {
        Dictionary<ulong, ApiKey> index = new(catalog.Keys.Count);
        foreach (ApiKey key in catalog.Keys)
        {
            index[BinaryPrimitives.ReadUInt64LittleEndian(key.Digest.Span)] = key;
        }

        return index;
    }

    /// <summary>A key that was found in one catalog, and where in its header it lay.</summary>
    private sealed class Verdict(CatalogSnapshot catalog, ApiKey key, int start, int length)
    {
        public CatalogSnapshot Catalog { get; } = catalog;
        public ApiKey Key { get; } = key;
        public int Start { get; } = start;
        public int Length { get; } = length;
    }
}
