using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>What may be asked of the gateway with a key. Lists of models and counts of tokens may always be asked for.</summary>
[Flags]
public enum KeyScopes
{
    None = 0,
    Chat = 1,
    Embeddings = 2,
    Images = 4,
    Audio = 8,
    Moderations = 16,
    Completions = 32,
    Rerank = 64,
    Files = 128,
    Batches = 256,
    State = 512,
    All = 1023,
}

/// <summary>Scopes by their words.</summary>
public static class KeyScope
{
    /// <param name="words">Of <see cref="KeyScopeName.All"/>, in whose order the flags stand; null means all.</param>
    public static KeyScopes Of(IReadOnlyList<string>? words)
    {
        if (words is null)
        {
            return KeyScopes.All;
        }

        KeyScopes scopes = KeyScopes.None;
        for (int i = 0; i < KeyScopeName.All.Count; i++)
        {
            scopes |= words.Contains(KeyScopeName.All[i]) ? (KeyScopes)(1 << i) : KeyScopes.None;
        }

        return scopes;
    }
}
