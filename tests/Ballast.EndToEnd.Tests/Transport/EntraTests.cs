using System.Net;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>Azure OpenAI by tokens of Entra ID, over TLS: the gateway, the token endpoint and the platform are the real ones.</summary>
public sealed class EntraTests
{
    private const string Secret = "client_secret: '${SECRET}'";

    [Fact]
    public async Task Ask_WithAClientSecret_FetchesOneTokenForManyRequests()
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        await house.StartGatewayAsync($"ca: ca.pem\n{house.Entra(Secret)}");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => house.AskWellAsync()));

        Assert.Equal((1, 1), (house.Sandbox.Entra.Calls, house.Sandbox.Entra.Issued));
        await house.AssertNoSecretAsync();
    }

    [Fact]
    public async Task Ask_WithAWorkloadToken_ReadsItsFileForEveryToken()
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        house.Sandbox.Entra.TokenLifetime = TimeSpan.FromSeconds(2);
        house.WriteWorkloadToken(TimeSpan.FromHours(1));
        await house.StartGatewayAsync($"ca: ca.pem\n{house.Entra("token_file: workload-token")}");
        await house.AskWellAsync();
        Assert.Equal(1, house.Sandbox.Entra.Issued);

        house.WriteWorkloadToken(TimeSpan.FromHours(-1));
        await Task.Delay(TimeSpan.FromSeconds(2.1), TimeProvider.System, TransportHouse.Cancellation);

        Assert.Equal("upstream_credentials_unavailable", await house.AskForErrorAsync());
        await LogCapture.WaitForAsync("(AADSTS700024)");
        await house.AssertNoSecretAsync();
    }

    [Fact]
    public async Task Ask_WithAWrongSecret_FailsOverAndAsksTheTokenEndpointOnce()
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        await house.StartGatewayAsync($"ca: ca.pem\n{house.Entra("client_secret: '${WRONG}'")}", fallback: true);

        for (int i = 0; i < 5; i++)
        {
            await house.AskWellAsync();
        }

        Assert.Equal((1, 0), (house.Sandbox.Entra.Calls, house.Sandbox.Entra.Issued));
        await LogCapture.WaitForAsync("(AADSTS7000215)");
        Assert.DoesNotContain(house.Sandbox.Billing.Rows, static row => row.Platform == "azure");
        await house.AssertNoSecretAsync();
    }

    [Fact]
    public async Task Ask_WithAWrongSecretAndNothingElse_TellsTheClientACodeAndNothingMore()
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        await house.StartGatewayAsync($"ca: ca.pem\n{house.Entra("client_secret: '${WRONG}'")}");

        Assert.Equal("upstream_credentials_unavailable", await house.AskForErrorAsync());
        await house.AssertNoSecretAsync();
    }

    [Fact]
    public async Task Traffic_WhileTokensExpire_NeverMeetsAnExpiredOne()
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        house.Sandbox.Entra.TokenLifetime = TimeSpan.FromSeconds(3);
        await house.StartGatewayAsync($"ca: ca.pem\n{house.Entra(Secret)}");
        long start = TimeProvider.System.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(7))
            {
                await house.AskWellAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TransportHouse.Cancellation);
            }
        }));

        Assert.InRange(house.Sandbox.Entra.Issued, 3, 6);
        Assert.All(house.Sandbox.Billing.Rows, static row => Assert.Equal("completed", row.Outcome));
        await house.AssertNoSecretAsync();
    }

    [Fact]
    public async Task TokenEndpoint_Down_IsNotFeltBeforeTheTokenEndsAndForgottenSoonAfterItsReturn()
    {
        await using TransportHouse house = await TransportHouse.StartSandboxAsync();
        house.Sandbox.Entra.TokenLifetime = TimeSpan.FromSeconds(4);
        await house.StartGatewayAsync($"ca: ca.pem\n{house.Entra(Secret)}");
        await house.AskWellAsync();
        long start = TimeProvider.System.GetTimestamp();
        await house.Sandbox.DisappearAsync("entra");
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(3))
        {
            await house.AskWellAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TransportHouse.Cancellation);
        }

        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, TransportHouse.Cancellation);
        Assert.Contains(await house.AskForErrorAsync(), new[] { "upstream_credentials_unavailable", "ballast_all_unavailable" });

        await house.Sandbox.ReturnAsync("entra");
        HttpStatusCode last = default;
        for (int i = 0; i < 100 && last != HttpStatusCode.OK; i++)
        {
            (last, _) = await house.AskAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TransportHouse.Cancellation);
        }

        Assert.Equal(HttpStatusCode.OK, last);
        await house.AssertNoSecretAsync();
    }
}
