using System.Security.Cryptography;
using System.Text;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Remembers the beginnings of prompts: a repeated beginning of 1024 tokens or more is cached, in steps of 128.</summary>
internal sealed class PrefixCache
{
    private const int LeastTokens = 1024;
    private const int StepTokens = 128;
    private const int BlockCharacters = 512;
    private const int MaxBlocks = 200_000;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _blocks = [];

    /// <summary>How many of the input's tokens an earlier request has cached; remembers this one.</summary>
    public long Use(string model, string input, long inputTokens)
    {
        if (inputTokens < LeastTokens)
        {
            return 0;
        }

        List<string> chain = Chain(model, input);
        int known = 0;
        lock (_gate)
        {
            while (known < chain.Count && _blocks.Contains(chain[known]))
            {
                known++;
            }

            if (_blocks.Count > MaxBlocks)
            {
                _blocks.Clear();
            }

            _blocks.UnionWith(chain);
        }

        long tokens = Tokens.Count(input[..(known * BlockCharacters)]) / StepTokens * StepTokens;
        return tokens >= LeastTokens ? Math.Min(tokens, (inputTokens - 1) / StepTokens * StepTokens) : 0;
    }

    public void Clear()
    {
        lock (_gate)
        {
            _blocks.Clear();
        }
    }

    private static List<string> Chain(string model, string input)
    {
        List<string> chain = [];
        byte[] previous = Encoding.UTF8.GetBytes(model);
        for (int start = 0; start + BlockCharacters <= input.Length; start += BlockCharacters)
        {
            byte[] block = Encoding.UTF8.GetBytes(input[start..(start + BlockCharacters)]);
            previous = SHA256.HashData([.. previous, .. block]);
            chain.Add(Convert.ToHexString(previous));
        }

        return chain;
    }
}
