using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

/// <summary>Options that a program built have no file: names that occur twice and missing things are found all the same, at line 0.</summary>
public class OptionsValidatorTests
{
    [Fact]
    public void Validate_NoFile_FaultsHaveNoPlace()
    {
        BallastOptions options = new() { Providers = [new ProviderOptions { Name = "a" }, new ProviderOptions { Name = "a" }] };

        IReadOnlyList<ConfigurationFault> faults = OptionsValidator.Validate(options);

        Assert.Contains(faults, static fault => fault.Message == "'a' is there twice");
        Assert.Contains(faults, static fault => fault.Message == "provider 'a' does not say where it is");
        Assert.All(faults, static fault => Assert.Equal((0, 0), (fault.Line, fault.Column)));
        Assert.StartsWith("x: error: ", faults[0].Print("x"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1001, 1, "more than 1000 providers")]
    [InlineData(2, 5001, "more than 10000 deployments")]
    public void Validate_TooMany_IsAFault(int providers, int deployments, string message)
    {
        BallastOptions options = new()
        {
            Providers = [.. Enumerable.Range(0, providers).Select(i => new ProviderOptions
            {
                Name = $"p{i}",
                Kind = "openai-compatible",
                Platform = "x",
                Region = "x",
                BaseUrl = new Uri("https://x"),
                Data = new DataOptions { Geo = "x", RetentionDays = 0, Training = false },
                Deployments = [.. Enumerable.Range(0, deployments).Select(static j => new DeploymentOptions { Name = $"m{j}", Vendor = "x" })],
            })],
        };

        Assert.Contains(message, OptionsValidator.Validate(options).Where(static fault => !fault.IsWarning).Select(static fault => fault.Message));
    }

    [Theory]
    [InlineData("eu-central-1", true)]
    [InlineData("us-gov-west-1", true)]
    [InlineData("europe", false)]
    [InlineData("a..b", false)]
    public void Validate_BedrockWithoutAddress_WantsARegionOfAws(string region, bool isGood)
    {
        LoadResult result = ValidConfiguration.Load(ValidConfiguration.With("region: eu-central-1", $"region: {region}"));

        Assert.Equal(isGood, result.IsValid);
    }
}
