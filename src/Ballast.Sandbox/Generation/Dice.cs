using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Ballast.Sandbox.Generation;

/// <summary>Seeded chance whose sequence never changes between runtimes (SplitMix64 over a SHA-256 of its seed and labels).</summary>
internal struct Dice
{
    private ulong _state;

    public Dice(int seed, params ReadOnlySpan<string?> labels)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(number, seed);
        hash.AppendData(number);
        foreach (string? label in labels)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(label ?? "\u0001"));
            hash.AppendData([0]);
        }

        _state = BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }

    public ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>0 inclusive to 1 exclusive.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Both ends inclusive.</summary>
    public long Next(long low, long high) =>
        high <= low ? low : low + (long)Math.Floor(NextDouble() * Math.Max(1, (double)high - low + 1));

    public T Pick<T>(IReadOnlyList<T> choices) => choices[(int)Next(0, choices.Count - 1)];

    /// <summary>Log-normal: half of the draws lie below the median; sigma 0.4 puts one in twenty above twice of it.</summary>
    public double NextLogNormal(double median, double sigma)
    {
        double first = 1 - NextDouble();
        double second = NextDouble();
        double normal = Math.Sqrt(-2 * Math.Log(first)) * Math.Cos(2 * Math.PI * second);
        return median * Math.Exp(sigma * normal);
    }

    /// <summary>Letters and digits, as vendors' ids have them.</summary>
    public string NextId(int length)
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        Span<char> id = stackalloc char[length];
        for (int i = 0; i < length; i++)
        {
            id[i] = Alphabet[(int)(NextBits() % (ulong)Alphabet.Length)];
        }

        return new string(id);
    }

    public string NextHex(int length)
    {
        Span<char> id = stackalloc char[length];
        for (int i = 0; i < length; i++)
        {
            id[i] = "0123456789abcdef"[(int)(NextBits() % 16)];
        }

        return new string(id);
    }

    public Guid NextGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, NextBits());
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], NextBits());
        bytes[7] = (byte)((bytes[7] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes);
    }
}
