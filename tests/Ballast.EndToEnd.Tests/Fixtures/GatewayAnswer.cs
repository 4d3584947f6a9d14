using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>What came back from the gateway, body included.</summary>
internal sealed class GatewayAnswer
{
    private readonly Dictionary<string, string> _headers;

    private GatewayAnswer(int status, string body, Dictionary<string, string> headers)
    {
        Status = status;
        Body = body;
        _headers = headers;
    }

    public int Status { get; }

    public string Body { get; }

    /// <summary>The gateway's id of the request.</summary>
    public string Id => Header("x-ballast-request-id") ?? "";

    public JsonElement Json
    {
        get
        {
            using JsonDocument document = JsonDocument.Parse(Body);
            return document.RootElement.Clone();
        }
    }

    public string? Header(string name) => _headers.GetValueOrDefault(name);

    public string AllHeaders => string.Join('\n', _headers.Select(header => $"{header.Key}: {header.Value}"));

    public static async Task<GatewayAnswer> ReadAsync(HttpResponseMessage response)
    {
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, IEnumerable<string> values) in response.Headers.Concat(response.Content.Headers))
        {
            headers[name] = string.Join(", ", values);
        }

        return new GatewayAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), headers);
    }

    /// <summary>A whole error in the caller's own shape, with an id and without a secret.</summary>
    public void AssertError(GatewayHost gateway, string protocol, int? status = null)
    {
        string all = $"{Status}\n{AllHeaders}\n\n{Body}";
        Assert.True(status is null ? Status is >= 400 and < 500 : Status == status, $"Expected {status?.ToString() ?? "4xx"}: {all}");
        Assert.Equal("application/json", Header("content-type"));
        Assert.Matches("^req_[0-9a-f]{32}$", Id);
        JsonElement root = Json;
        JsonElement error = root.GetProperty("error");
        Assert.True(error.GetProperty("message").GetString()!.Length > 5, all);
        Assert.True(error.GetProperty("type").GetString()!.Length > 3, all);
        if (protocol == "anthropic")
        {
            Assert.Equal("error", root.GetProperty("type").GetString());
            Assert.Equal(Id, root.GetProperty("request_id").GetString());
            Assert.Equal(Id, Header("request-id"));
            Assert.Null(Header("x-request-id"));
        }
        else
        {
            Assert.True(error.TryGetProperty("param", out _) && error.TryGetProperty("code", out _), all);
            Assert.False(root.TryGetProperty("type", out _), all);
            Assert.Equal(Id, Header("x-request-id"));
            Assert.Null(Header("request-id"));
        }

        gateway.AssertNoSecretIn(all, "an answer");
    }
}
