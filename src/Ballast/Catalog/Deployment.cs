using Ballast.Configuration;
using Ballast.Prices;
using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>One upstream model at one provider, always written <c>provider/model</c>.</summary>
public sealed record Deployment
{
    /// <summary><c>provider/model</c>.</summary>
    public required string Name { get; init; }
    public required Provider Provider { get; init; }

    /// <summary>The model's public name within the provider.</summary>
    public required string Model { get; init; }

    /// <summary>What the upstream calls it: a model id or, at Azure, a deployment name.</summary>
    public required string SentModel { get; init; }

    /// <summary>Who makes the model: <c>openai</c>, <c>anthropic</c>, <c>meta</c> ….</summary>
    public required string Vendor { get; init; }

    /// <summary>The protocols it can be asked in, the preferred one first.</summary>
    public required IReadOnlyList<Protocol> Protocols { get; init; }
    public required string Platform { get; init; }
    public required string Region { get; init; }
    public required DataTerms Data { get; init; }
    public required TargetFeatures Features { get; init; }
    public long DefaultMaxOutputTokens { get; init; } = 8192;

    /// <summary>What it costs, by time and service tier. Null where nothing is known: then cost is recorded as unknown, never as zero.</summary>
    public PriceSchedule? Prices { get; init; }

    /// <summary>Day from which its vendor advises against it; null where none is known.</summary>
    public DateOnly? Deprecated { get; init; }

    /// <summary>Day on which it stops; null where none is known.</summary>
    public DateOnly? EndOfLife { get; init; }

    /// <summary>What it alone may be asked for, as declared; null where nothing is.</summary>
    public QuotaOptions? Quota { get; init; }

    /// <summary>Of <see cref="Quota"/>, what is kept; null where it is only reported against.</summary>
    public HardQuota? HardQuota { get; init; }

    /// <summary>Something may be asked for only so often: of it alone, or of its whole account.</summary>
    public bool HasHardQuota => HardQuota is not null || Provider.HardQuota is not null;

    /// <summary>It serves embeddings, not chat.</summary>
    public bool IsEmbedding { get; init; }

    /// <summary>Vectors of two deployments can be compared where this is equal: the model, unless the configuration names it.</summary>
    public string EmbeddingSpace => field ??= $"{Vendor}/{Model}";

    /// <summary>
    /// The protocol in which it is asked on behalf of a caller of <paramref name="caller"/>: the caller's own where it is offered, since then nothing is lost, else the
    /// first of the same family; null where it offers none of that family.
    /// </summary>
    public Protocol? ProtocolFor(Protocol caller)
    {
        Protocol? first = null;
        for (int index = 0; index < Protocols.Count; index++)
        {
            Protocol offered = Protocols[index];
            if (offered == caller)
            {
                return offered;
            }

            first ??= offered.Family == caller.Family ? offered : null;
        }

        return first;
    }

    /// <summary>Built once here: what a protocol must know of this deployment.</summary>
    public RequestTarget Target => field ??= new RequestTarget
    {
        Model = SentModel,
        Vendor = Vendor,
        Account = Provider.Name,
        Features = Features,
        DefaultMaxOutputTokens = DefaultMaxOutputTokens,
        RefusedFields = FeatureDefaults.RefusedBy(Provider.Kind, Provider.Platform),
        VersionInBody = Provider.Kind == ProviderKind.Vertex ? "vertex-2023-10-16" : null,
    };
}
