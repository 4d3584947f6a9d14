using System.Security.Cryptography;
using System.Text;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Remembers prefixes up to cache breakpoints for five minutes or one hour; a read renews its time.</summary>
internal sealed class MessagesCache(TimeProvider time)
{
    /// <summary>Shorter prefixes are not cached. Smaller than Anthropic's 1024 and more, so that tests need no long prompts.</summary>
    private const long LeastTokens = 64;

    /// <summary>So many blocks before the last breakpoint are looked up.</summary>
    private const int LookBack = 20;

    private const int MaxEntries = 50_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (DateTimeOffset Until, int Seconds)> _entries = [];

    public CacheUse Use(string model, IReadOnlyList<InputBlock> blocks)
    {
        int last = -1;
        for (int i = 0; i < blocks.Count; i++)
        {
            last = blocks[i].CacheSeconds is null ? last : i;
        }

        if (last < 0)
        {
            return default;
        }

        (string[] hashes, long[] tokens) = Accumulate(model, blocks, last);
        if (tokens[last] < LeastTokens)
        {
            return default;
        }

        lock (_gate)
        {
            int read = FindRead(hashes, last);
            return Remember(blocks, hashes, tokens, read, last);
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
        }
    }

    private int FindRead(string[] hashes, int last)
    {
        DateTimeOffset now = time.GetUtcNow();
        for (int i = last; i >= 0 && i > last - LookBack; i--)
        {
            if (_entries.TryGetValue(hashes[i], out (DateTimeOffset Until, int Seconds) entry) && entry.Until > now)
            {
                _entries[hashes[i]] = (now.AddSeconds(entry.Seconds), entry.Seconds);
                return i;
            }
        }

        return -1;
    }

    private CacheUse Remember(IReadOnlyList<InputBlock> blocks, string[] hashes, long[] tokens, int read, int last)
    {
        if (_entries.Count > MaxEntries)
        {
            _entries.Clear();
        }

        long written = read < 0 ? 0 : tokens[read];
        CacheUse use = new(written, 0, 0);
        for (int i = read + 1; i <= last; i++)
        {
            if (blocks[i].CacheSeconds is not { } seconds || tokens[i] < LeastTokens)
            {
                continue;
            }

            _entries[hashes[i]] = (time.GetUtcNow().AddSeconds(seconds), seconds);
            use = seconds == InputBlocks.OneHour
                ? use with { WrittenLong = use.WrittenLong + tokens[i] - written }
                : use with { WrittenShort = use.WrittenShort + tokens[i] - written };
            written = tokens[i];
        }

        return use;
    }

    private static (string[] Hashes, long[] Tokens) Accumulate(string model, IReadOnlyList<InputBlock> blocks, int last)
    {
        string[] hashes = new string[last + 1];
        long[] tokens = new long[last + 1];
        byte[] previous = Encoding.UTF8.GetBytes(model);
        long sum = 0;
        for (int i = 0; i <= last; i++)
        {
            previous = SHA256.HashData([.. previous, .. Encoding.UTF8.GetBytes(blocks[i].Text)]);
            hashes[i] = Convert.ToHexString(previous);
            tokens[i] = sum += blocks[i].Tokens;
        }

        return (hashes, tokens);
    }
}

/// <summary>Tokens read from the cache and written to it, for five minutes and for one hour.</summary>
internal readonly record struct CacheUse(long Read, long WrittenShort, long WrittenLong)
{
    public long Written => WrittenShort + WrittenLong;
}
