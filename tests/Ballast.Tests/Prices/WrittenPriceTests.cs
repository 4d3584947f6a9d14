using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Prices;
using Ballast.Tests.Configuration;

namespace Ballast.Tests.Prices;

public sealed class WrittenPriceTests
{
    private const string Providers = """
        providers:
          anywhere:
            kind: openai-compatible
            platform: local
            region: local
            base_url: "http://127.0.0.1:9/v1"
            allow_private_addresses: true
            any_model: true
            vendor: openai
            data: { geo: eu, retention_days: 0, training: false }
        keys:
          bench: { key_env: CLIENT_KEY }
        """;

    /// <summary>A model that nobody wrote down costs what was written under its name, as one that is written down does.</summary>
    [Theory]
    [InlineData("prices: { openai/gpt-5-mini: { input: 3, output: 7 } }", 3)]
    [InlineData("prices: { openai/gpt-5-mini: { input: 3, output: 7 }, anywhere/gpt-5-mini: { input: 2, output: 7 } }", 2)]
    [InlineData("prices: { openai/another: { input: 3, output: 7 } }", null)]
    public void Build_ModelOfAProviderThatTakesAny_CostsWhatIsWritten(string prices, int? input)
    {
        LoadResult loaded = OptionsLoader.Load($"{Providers}\n{prices}\n", "ballast.yaml", static name => name == "CLIENT_KEY" ? "sk-ballast-0123456789abcdef0123456789abcdef" : ValidConfiguration.Environment(name));
        Assert.True(loaded.IsValid, ValidConfiguration.Print(loaded));

        Model model = CatalogBuilder.Build(loaded.Options!, revision: 1).FindModel("anywhere/gpt-5-mini")!;

        PriceSchedule? found = Assert.Single(model.Candidates).Deployment.Prices;
        Assert.Equal(input, (int?)found?.Rows[0].Price.For(0).Input);
    }
}
