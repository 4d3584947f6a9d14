namespace Ballast.Sandbox.Google;

/// <summary>A model as Google's platforms describe it.</summary>
/// <param name="Name">Without collection.</param>
/// <param name="Title">For people.</param>
/// <param name="IsThird">Of the third generation: levels of thinking, ids of calls, and signatures that must come back.</param>
/// <param name="Methods">What it can be asked for.</param>
internal sealed record GeminiModel(string Name, string Title, bool IsThird, params string[] Methods)
{
    public const long InputTokensMax = 1_048_576;

    public const long OutputTokensMax = 65_536;

    /// <summary>Most tokens that the earlier generation may be told to think.</summary>
    public const long ThinkingBudgetMax = 24_576;

    private static readonly string[] s_chat = ["generateContent", "countTokens"];

    private static readonly string[] s_embedding = ["embedContent", "countTextTokens", "countTokens"];

    public static IReadOnlyList<GeminiModel> All { get; } =
    [
        new("gemini-3.5-flash", "Gemini 3.5 Flash", IsThird: true, s_chat),
        new("gemini-2.5-flash", "Gemini 2.5 Flash", IsThird: false, s_chat),
        new("gemini-embedding-2", "Gemini Embedding 2", IsThird: false, s_embedding),
        new("gemini-embedding-001", "Gemini Embedding 001", IsThird: false, s_embedding),
    ];

    public bool Embeds => Methods.Contains("embedContent");

    /// <summary>Embeddings of the second generation say what they cost.</summary>
    public bool TellsEmbeddingUsage => Name == "gemini-embedding-2";

    public SandboxModel Describe() => new(
        Name, Chat: !Embeds, Tools: !Embeds, JsonSchema: !Embeds, Images: !Embeds, Streaming: !Embeds, Thinking: !Embeds, Embeddings: Embeds);
}
