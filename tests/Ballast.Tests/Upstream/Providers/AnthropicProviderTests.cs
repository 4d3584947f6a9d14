using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Upstream.Providers;

namespace Ballast.Tests.Upstream.Providers;

public sealed class AnthropicProviderTests
{
    private const string Asked = "interleaved-thinking-2025-05-14, files-api-2025-04-14,made-up";

    [Theory]
    [InlineData("anthropic", null, Asked)]
    [InlineData("aws", null, "interleaved-thinking-2025-05-14")]
    [InlineData("google", null, "interleaved-thinking-2025-05-14")]
    [InlineData("aws", "[made-up]", "made-up")]
    [InlineData("anthropic", "[made-up, other]", "made-up")]
    [InlineData("anthropic", "[]", null)]
    public void Filter_BetaFeatures_KeepsThoseOfThePlatformOrTheConfiguration(string platform, string? betas, string? kept)
    {
        Provider provider = Load(platform, betas);

        Assert.Equal(kept, AnthropicProvider.Instance.Filter("anthropic-beta", Asked, provider));
        Assert.Equal("2023-06-01", AnthropicProvider.Instance.Filter("anthropic-version", "2023-06-01", provider));
    }

    private static Provider Load(string platform, string? betas)
    {
        LoadResult loaded = OptionsLoader.Load(
            $$"""
            providers:
              claude:
                kind: anthropic
                platform: {{platform}}
                region: eu
                base_url: https://example.com
                api_key_env: KEY
                data: { geo: eu, retention_days: 0, training: false }
                any_model: true
                vendor: anthropic
                {{(betas is null ? "" : $"betas: {betas}")}}
            keys: { all: { key_env: KEY } }
            """,
            "ballast.yaml",
            _ => "a-key-that-is-long-enough-for-any-rule");
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Faults.Select(fault => fault.Message)));
        return CatalogBuilder.Build(loaded.Options!, revision: 1).Providers["claude"];
    }
}
