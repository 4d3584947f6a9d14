using System.Text;
using Xunit.Sdk;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>The search for secrets finds them, however they are written: where it finds none, there are none.</summary>
public sealed class GatewayHostTests(GatewayFixture gateways)
{
    [Fact]
    public void AssertNoSecretIn_SecretInAnyForm_Fails()
    {
        GatewayHost gateway = gateways.Fast;
        gateway.AssertNoSecretIn("nothing of the kind", "a test");
        foreach (string secret in (string[])[gateway.KeyOf("raw"), gateway.Sandbox.Platforms["openai"].ApiKey, gateway.Sandbox.Platforms["local"].Address.Authority])
        {
            byte[] bytes = Encoding.UTF8.GetBytes(secret);
            string[] forms =
            [
                secret, secret.ToUpperInvariant(), Convert.ToHexString(bytes), Convert.ToBase64String(bytes), Convert.ToBase64String([1, .. bytes, 2]), Convert.ToBase64String([1, 2, .. bytes]),
                new([.. secret.Reverse()]),
            ];
            foreach (string form in forms)
            {
                Assert.Throws<FailException>(() => gateway.AssertNoSecretIn($"before {form} after", "a test"));
            }
        }
    }
}
