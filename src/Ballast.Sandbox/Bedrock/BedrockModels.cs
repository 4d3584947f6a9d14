namespace Ballast.Sandbox.Bedrock;

/// <summary>A model of the runtime.</summary>
/// <param name="Id">Without a profile's prefix.</param>
/// <param name="Claude">The name by which Anthropic's own API knows it; null for other vendors' models.</param>
/// <param name="Images">It sees images and documents.</param>
internal sealed record BedrockModel(string Id, string? Claude, bool Images)
{
    public bool Thinks => Claude is not null;

    public bool CachesPrompts => Claude is not null || Id.StartsWith("amazon.", StringComparison.Ordinal);
}

/// <summary>Which models there are, and by which ids they are asked for.</summary>
internal static class BedrockModels
{
    private static readonly string[] s_profiles = ["us.", "eu.", "apac.", "global."];

    public static IReadOnlyList<BedrockModel> All { get; } =
    [
        new("anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", Images: true),
        new("anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5", Images: true),
        new("anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5", Images: true),
        new("amazon.nova-pro-v1:0", null, Images: true),
        new("meta.llama4-maverick-17b-instruct-v1:0", null, Images: true),
        new("meta.llama3-3-70b-instruct-v1:0", null, Images: false),
    ];

    /// <summary>By a model's id, a profile's (<c>eu.</c>ID), or an ARN that ends in one of them; null where there is none.</summary>
    public static BedrockModel? Find(string id)
    {
        string name = id.StartsWith("arn:aws:bedrock:", StringComparison.Ordinal) ? id[(id.LastIndexOf('/') + 1)..] : id;
        foreach (string profile in s_profiles)
        {
            if (name.StartsWith(profile, StringComparison.Ordinal))
            {
                name = name[profile.Length..];
                break;
            }
        }

        return All.FirstOrDefault(model => model.Id == name);
    }
}
