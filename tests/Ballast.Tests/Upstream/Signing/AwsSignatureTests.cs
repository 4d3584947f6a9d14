using System.Buffers;
using System.Text;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Upstream;
using Ballast.Upstream.Signing;

namespace Ballast.Tests.Upstream.Signing;

/// <summary>Signatures against the examples that AWS has published with the algorithm (its test suite of 2015).</summary>
public sealed class AwsSignatureTests
{
    private static readonly AwsKeys s_keys = new("AKIDEXAMPLE", new Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), null);
    private static readonly DateTimeOffset s_now = new(2015, 8, 30, 12, 36, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("GET", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    [InlineData("GET", "/?Param2=value2&Param1=value1", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")]
    [InlineData("POST", "/", "Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")]
    public void Sign_PublishedExample_GivesItsSignature(string method, string path, string body, string signature)
    {
        PooledBuffer buffer = new(64);
        buffer.Write(Encoding.UTF8.GetBytes(body));
        using UpstreamMessage request = new(new Uri("https://example.amazonaws.com" + path), buffer, body.Length > 0 ? "application/x-www-form-urlencoded" : null) { Method = method };
        AwsSignature.Sign(request, s_keys, "us-east-1", "service", s_now);
        string names = body.Length > 0 ? "content-type;host;x-amz-date" : "host;x-amz-date";
        Assert.Equal(
            $"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, Signature={signature}",
            request.Headers.Find("Authorization"));
    }

    /// <summary>The expectation was made by AWS's own signer for JavaScript: a path that is sent escaped is signed escaped twice, and a session's token is signed too.</summary>
    [Fact]
    public void Sign_EscapedPathAndTemporaryKeys_IsWhatAwsMakesOfIt()
    {
        const string model = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-x-v1:0";
        PooledBuffer body = new(64);
        body.Write("{\"messages\":[]}"u8);
        using UpstreamMessage request = new(new Uri($"https://bedrock-runtime.eu-west-1.amazonaws.com/model/{Uri.EscapeDataString(model)}/converse"), body);
        AwsSignature.Sign(request, s_keys with { SessionToken = new Secret("token-of-a-session") }, "eu-west-1", "bedrock", s_now);
        Assert.Equal("token-of-a-session", request.Headers.Find("X-Amz-Security-Token"));
        Assert.Equal(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
            + "Signature=f267a29d3a9f8fed2d61e0fcd1a5898927e1b4c5d18a1d6a6a2c70fdb3155fff",
            request.Headers.Find("Authorization"));
    }
}
