using System.Buffers.Binary;
using System.Runtime.CompilerServices;
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

    private static readonly ConditionalWeakTable<CatalogSnapshot, Dictionary<ulong, ApiKey>> Indices = [];

    /// <exception cref="GatewayException">The key is missing or unknown.</exception>
    public static ApiKey Find(CatalogSnapshot catalog, string? key)
    {
        if (string.IsNullOrEmpty(key))
        {
            throw new GatewayException(GatewayError.MissingKey);
        }

        if (key.Length <= KeyCharactersMax)
        {
            Span<byte> utf8 = stackalloc byte[KeyCharactersMax * 3];
            Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(key, utf8)], digest);
            Dictionary<ulong, ApiKey> index = Indices.GetValue(catalog, Index);
            if (index.TryGetValue(BinaryPrimitives.ReadUInt64LittleEndian(digest), out ApiKey? found)
                && CryptographicOperations.FixedTimeEquals(found.Digest.Span, digest))
            {
                return found;
            }
        }

        throw new GatewayException(GatewayError.InvalidKey);
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
}
