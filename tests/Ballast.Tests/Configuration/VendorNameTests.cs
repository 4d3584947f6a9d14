using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public class VendorNameTests
{
    [Theory]
    [InlineData("gpt-5-mini", "openai")]
    [InlineData("o3-mini", "openai")]
    [InlineData("openai.gpt-oss-120b-1:0", "openai")]
    [InlineData("claude-sonnet-4-5", "anthropic")]
    [InlineData("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic")]
    [InlineData("meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta")]
    [InlineData("llama3.2:1b", "meta")]
    [InlineData("google/gemma-3-27b", "google")]
    [InlineData("mistral-small-latest", "mistral")]
    [InlineData("x-ai/grok-4", "xai")]
    [InlineData("something-else", "unknown")]
    public void Of_ByName_TellsTheVendor(string model, string vendor) => Assert.Equal(vendor, VendorName.Of(VendorName.ByName, model));

    [Fact]
    public void Of_Written_IsTakenAsWritten() => Assert.Equal("acme", VendorName.Of("acme", "gpt-5"));
}
