using System.Collections.Frozen;
using Ballast.Configuration;

namespace Ballast.Catalog;

/// <summary>The running configuration: immutable, swapped whole. An exchange takes it once, so that a reload cannot tear it.</summary>
public sealed record CatalogSnapshot
{
    /// <summary>Counts up with every swap.</summary>
    public required int Revision { get; init; }
    public required FrozenDictionary<string, Provider> Providers { get; init; }
    public required FrozenDictionary<string, Deployment> Deployments { get; init; }

    /// <summary>By public name, deployments included.</summary>
    public required FrozenDictionary<string, Model> Models { get; init; }

    /// <summary>As written, deployments after the named models: the order of the model list.</summary>
    public required IReadOnlyList<Model> ModelOrder { get; init; }
    public required IReadOnlyList<ApiKey> Keys { get; init; }

    /// <summary>Organisations, teams, apps and budgets of the file.</summary>
    public TenancyOptions Tenancy { get; init; } = new();

    /// <summary>Whose traces are taken over and whose content may be written into spans.</summary>
    public TelemetryOptions Telemetry { get; init; } = new();

    /// <summary>What was promised to be spent at platforms.</summary>
    public IReadOnlyList<CommitmentOptions> Commitments { get; init; } = [];

    /// <summary>What requests and answers are held against; empty where nothing is.</summary>
    public IReadOnlyList<Principle> Constitution { get; init; } = [];

    public required LimitsOptions Limits { get; init; }

    /// <summary>Whose web pages' scripts may call; null for none.</summary>
    public CorsOptions? Cors { get; init; }

    /// <summary>Cuts a key down to what the policy in force leaves it, wherever the key was made; null where nothing does. <see cref="Keys"/> are cut down already.</summary>
    public Func<ApiKey, ApiKey>? Restriction { get; init; }

    /// <summary>Finds models that are not written down; null where no provider takes any model.</summary>
    internal ModelFinder? Finder { get; init; }

    /// <summary>The model of this name, written down or accepted by a provider that takes any; null where there is none.</summary>
    public Model? FindModel(string name) => Models.GetValueOrDefault(name) ?? Finder?.Find(name);
}
