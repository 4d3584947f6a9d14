using System.Text.Json.Nodes;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>Clouds for which a vendor's SDK has clients of its own.</summary>
public enum SdkCloud
{
    None,
    Bedrock,
    Vertex,
    Foundry,
}

/// <summary>Where an SDK is pointed and what it asks for: one platform of the sandbox, or one model of the gateway.</summary>
public sealed record SdkTarget
{
    /// <summary>Unique within one run of an SDK.</summary>
    public required string Name { get; init; }

    /// <summary>Scheme, host and port.</summary>
    public required Uri Url { get; init; }
    public required string Key { get; init; }
    public required string Model { get; init; }

    /// <summary>The same at natural speed, for answers that are hung up on.</summary>
    public required Uri SlowUrl { get; init; }
    public string SlowModel => Model;

    /// <summary>The key there, by which one request at a time may run at a gateway; null where it is the same.</summary>
    public string? SlowKey { get; init; }

    /// <summary>The same at natural speed.</summary>
    public SdkTarget Slow => this with { Url = SlowUrl, Key = SlowKey ?? Key };

    /// <summary>The same, failing where a prompt asks for it; null where that is <see cref="Url"/>.</summary>
    public Uri? FailingUrl { get; init; }

    /// <summary>The model to be rate limited at, which rests afterwards; null where that is <see cref="Model"/>.</summary>
    public string? LimitedModel { get; init; }

    /// <summary>A key that may not ask for the model.</summary>
    public string? NarrowKey { get; init; }

    /// <summary>What the platform or its model cannot do, of <see cref="SdkLack"/>: the cases hold that this is refused, or left out and named.</summary>
    public IReadOnlyList<string> Lacks { get; init; } = [];

    /// <summary>A model that is not there, at the same provider.</summary>
    public string UnknownModel => Model.Contains('/') ? Model.Split('/')[0] + "/no-such-model" : "no-such-model";

    /// <summary>Who makes the model; what can be expected of thinking and usage depends on it.</summary>
    public required string Vendor { get; init; }

    /// <summary>What stands between the address and the protocol's own paths.</summary>
    public string Prefix { get; init; } = "/v1";

    /// <summary>Use the SDK's client for Azure.</summary>
    public bool IsAzure { get; init; }

    /// <summary>Use the SDK's client for Vertex AI, with a token for a key.</summary>
    public bool IsVertex { get; init; }

    /// <summary>Whose client of the vendor's SDK is used: a cloud's, or the vendor's own.</summary>
    public SdkCloud Cloud { get; init; }
    public bool IsGateway { get; init; }

    /// <summary>For SDKs that speak several: <c>openai</c>, <c>responses</c> or <c>anthropic</c>.</summary>
    public string Protocol { get; init; } = "openai";

    /// <summary>The model's thoughts are shown to whoever asks for them.</summary>
    public bool ShowsThinking { get; init; }

    /// <summary>Who answers signs its reasoning, so that it can come back.</summary>
    public bool IsSigned { get; init; }

    /// <summary>Makes vectors; null where the SDK is not asked for any.</summary>
    public string? EmbedModel { get; init; }

    /// <summary>Ranks documents; null where the SDK is not asked to.</summary>
    public string? RerankModel { get; init; }

    /// <summary>Whose ranks these are: no tokens are told of them, so that no bill can be compared.</summary>
    public string? RerankKey { get; init; }

    /// <summary>A token in the key's place, for SDKs that take both.</summary>
    public string? Token { get; init; }

    /// <summary>AWS refuses a wrong key with 403, everyone else with 401.</summary>
    public int WrongKeyStatus { get; init; } = 401;
    public required IReadOnlyList<string> Cases { get; init; }

    /// <summary>Says what is wrong where nobody knows of an error by its id; null where nothing is, or where nobody is asked.</summary>
    public Func<string, Task<string?>>? IsRefusalKnown { get; init; }

    /// <summary>Says what is wrong where a request that was hung up on, by its id, has not ended everywhere.</summary>
    public Func<string, Task<string?>>? IsCancelled { get; init; }

    /// <summary>AWS's SDKs sign with this access key: its id and its secret. Null sends <see cref="Key"/>.</summary>
    public (string Id, string Secret)? Aws { get; init; }

    /// <summary>AWS's SDK uses its own handler, which speaks HTTP/2 only.</summary>
    public bool IsHttp2 { get; init; }

    public JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["url"] = Url.GetLeftPart(UriPartial.Authority),
        ["key"] = Key,
        ["model"] = Model,
        ["slowUrl"] = SlowUrl.GetLeftPart(UriPartial.Authority),
        ["slowModel"] = SlowModel,
        ["slowKey"] = SlowKey ?? Key,
        ["failingUrl"] = (FailingUrl ?? Url).GetLeftPart(UriPartial.Authority),
        ["limitedModel"] = LimitedModel ?? Model,
        ["unknownModel"] = UnknownModel,
        ["narrowKey"] = NarrowKey,
        ["lacks"] = new JsonArray([.. Lacks.Select(one => (JsonNode)one)]),
        ["cloud"] = Cloud.ToString().ToLowerInvariant(),
        ["vendor"] = Vendor,
        ["prefix"] = Prefix,
        ["azure"] = IsAzure,
        ["vertex"] = IsVertex,
        ["gateway"] = IsGateway,
        ["protocol"] = Protocol,
        ["shows"] = ShowsThinking,
        ["signs"] = IsSigned,
        ["embedModel"] = EmbedModel,
        ["rerankModel"] = RerankModel,
        ["rerankKey"] = RerankKey,
        ["token"] = Token,
        ["wrongKeyStatus"] = WrongKeyStatus,
        ["aws"] = Aws is { } aws ? new JsonObject { ["accessKeyId"] = aws.Id, ["secretAccessKey"] = aws.Secret } : null,
        ["http2"] = IsHttp2,
        ["thinks"] = Vendor == "anthropic",
        ["cases"] = new JsonArray([.. Cases.Select(name => (JsonNode)name)]),
    };
}
