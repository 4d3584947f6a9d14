using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class EnvironmentOptionsTests
{
    private static Func<string, string?> Variables(params (string Name, string Value)[] set) =>
        name => set.Where(one => one.Name == name).Select(static one => one.Value).FirstOrDefault();

    [Fact]
    public void TryBuild_NothingSet_IsFalse()
    {
        Assert.False(EnvironmentOptions.TryBuild(Variables(), out BallastOptions? options));
        Assert.Null(options);
        Assert.Contains("OPENAI_API_KEY", Assert.Single(EnvironmentOptions.Load(Variables()).Faults).Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void TryBuild_OneKey_ServesThatProviderWithAnyModel()
    {
        Assert.True(EnvironmentOptions.TryBuild(Variables(("OPENAI_API_KEY", "sk-1")), out BallastOptions? options));

        ProviderOptions provider = Assert.Single(options!.Providers);
        Assert.Equal(("openai", "openai", "openai", "openai", true), (provider.Name, provider.Kind, provider.Platform, provider.Vendor, provider.AnyModel));
        Assert.Equal(new DataOptions { Geo = "global", RetentionDays = 30, Training = false }, provider.Data);
        Assert.Equal("sk-1", provider.ApiKey!.Reveal());
        Assert.Contains(provider.Deployments, static deployment => deployment.Name == "gpt-5-mini");
        Assert.Equal((0.25m, 2m), options.PriceBook.Schedule("openai", "gpt-5-mini")!.At(DateTimeOffset.UnixEpoch) is { } price ? (price.Input, price.Output) : default);
        Assert.Empty(options.Keys);
    }

    [Fact]
    public void TryBuild_EveryVariableSet_UsesEveryProviderInOrder()
    {
        Assert.True(EnvironmentOptions.TryBuild(
            name => name switch
            {
                "AZURE_OPENAI_ENDPOINT" => "https://x.openai.azure.com/",
                "AWS_REGION" => "eu-central-1",
                "OLLAMA_HOST" => "0.0.0.0",
                _ when name.EndsWith("_URL", StringComparison.Ordinal) => null,
                _ => "some-value-1",
            },
            out BallastOptions? options));

        Assert.Equal(WellKnownProviders.All.Select(static known => known.Name), options!.Providers.Select(static provider => provider.Name));
        Assert.Equal("some-value-1", options.Providers[1].ApiVersion);
        Assert.Equal("eu-central-1", options.Providers.Single(static provider => provider.Name == "bedrock").Region);
        ProviderOptions ollama = options.Providers[^1];
        Assert.Equal(new Uri("http://127.0.0.1:11434"), ollama.BaseUrl);
        Assert.True(ollama is { AllowPrivateAddresses: true, Platform: "local", Region: "local", Data.RetentionDays: 0, ApiKey: null });
        Assert.Single(options.Keys);
    }

    [Theory]
    [InlineData("AZURE_OPENAI_API_KEY", "k", "AZURE_OPENAI_ENDPOINT is not")]
    [InlineData("AWS_BEARER_TOKEN_BEDROCK", "k", "AWS_REGION names no region")]
    [InlineData("ANTHROPIC_API_KEY", "with space", "holds characters that no key has")]
    [InlineData("OLLAMA_HOST", "ftp://x", "is not an address")]
    public void Load_VariablesThatDoNotSuffice_LeaveTheProviderOutWithAWarning(string name, string value, string message)
    {
        LoadResult result = EnvironmentOptions.Load(Variables(("OPENAI_API_KEY", "sk-1"), (name, value)));

        Assert.Equal("openai", Assert.Single(result.Options!.Providers).Name);
        ConfigurationFault fault = Assert.Single(result.Faults);
        Assert.True(fault.IsWarning);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("with space", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:9100/v1", "local", true)]
    [InlineData("http://192.168.1.5/v1", "local", true)]
    [InlineData("https://llm.example.com/v1", "llm.example.com", false)]
    public void TryBuild_OpenAIElsewhere_IsACompatibleServerOfAnotherPlatform(string address, string platform, bool isPrivate)
    {
        Assert.True(EnvironmentOptions.TryBuild(Variables(("OPENAI_API_KEY", "sk-1"), ("OPENAI_BASE_URL", address)), out BallastOptions? options));

        ProviderOptions provider = options!.Providers[0];
        Assert.Equal((ProviderKindName.OpenAICompatible, platform, VendorName.ByName), (provider.Kind, provider.Platform, provider.Vendor));
        Assert.Equal(isPrivate, provider.AllowPrivateAddresses);
        Assert.Empty(provider.Deployments);
    }

    [Fact]
    public void TryBuild_PlainHttpToOthers_IsRefused() =>
        Assert.False(EnvironmentOptions.TryBuild(Variables(("OPENAI_API_KEY", "sk-1"), ("OPENAI_BASE_URL", "http://llm.example.com/v1")), out _));

    [Fact]
    public void TryBuild_ShortClientKey_IsRefused() =>
        Assert.False(EnvironmentOptions.TryBuild(Variables(("OPENAI_API_KEY", "sk-1"), ("BALLAST_API_KEY", "short")), out _));
}
