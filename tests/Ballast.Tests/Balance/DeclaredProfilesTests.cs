using Ballast.Balance;

namespace Ballast.Tests.Balance;

public sealed class DeclaredProfilesTests
{
    [Theory]
    [InlineData("openai", true, true)]
    [InlineData("anthropic", true, true)]
    [InlineData("google", true, true)]
    [InlineData("meta", true, false)]
    [InlineData("azure", false, true)]
    [InlineData("aws", false, true)]
    [InlineData("local", false, true)]
    public void All_WellKnownName_IsThere(string name, bool isVendor, bool isPlatform)
    {
        DeclaredProfile profile = DeclaredProfiles.All[name];

        Assert.Equal((isVendor, isPlatform), (profile.IsVendor, profile.IsPlatform));
    }

    [Fact]
    public void All_EachFact_IsShortAndHasSourceAndMonth() =>
        Assert.All(
            DeclaredProfiles.All.Values.SelectMany(profile =>
                (DeclaredFact[])[profile.EnterpriseIntegration, profile.SafetyApproach, profile.Ecosystem]),
            fact =>
            {
                Assert.InRange(fact.Text.Length, 20, 160);
                Assert.InRange(fact.Source.Length, 10, 140);
                Assert.Matches("^20[0-9]{2}-(0[1-9]|1[0-2])$", fact.Date);
            });
}
