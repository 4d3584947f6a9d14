namespace Ballast.Configuration.Policies;

/// <summary>One component as written: its kind's word and its name.</summary>
public readonly record struct WrittenComponent(string Kind, string Name);

/// <summary>What has <paramref name="When"/> needs <paramref name="Needs"/> too.</summary>
/// <param name="When">What has the dependency.</param>
/// <param name="Needs">What it cannot do without.</param>
/// <param name="Provenance"><c>declared</c>, <c>contract</c> or <c>assumed</c>.</param>
/// <param name="Source">From where that is known.</param>
public sealed record WrittenLink(WrittenComponent When, WrittenComponent Needs, string Provenance, string Source);

/// <summary>A party as written.</summary>
/// <param name="Name">By which links name it.</param>
/// <param name="LegalName">In full.</param>
/// <param name="Parent">Party that owns it; null where nobody does.</param>
/// <param name="Jurisdiction">Whose law it stands under; null where nobody wrote it.</param>
public sealed record WrittenParty(string Name, string? LegalName, string? Parent, string? Jurisdiction);

/// <summary>A file of address ranges that belong to one component.</summary>
public sealed record WrittenRange(WrittenComponent Component, string File);

/// <summary>The component graph as written: what traffic and configuration cannot show.</summary>
public sealed record ComponentGraphOptions
{
    public IReadOnlyList<WrittenLink> Links { get; init; } = [];
    public IReadOnlyList<WrittenParty> Parties { get; init; } = [];

    /// <summary>What Ballast itself runs on.</summary>
    public IReadOnlyList<WrittenComponent> Gateway { get; init; } = [];
    public IReadOnlyList<WrittenRange> Ranges { get; init; } = [];
}

/// <summary>What came of reading a component graph: options only where there is no error.</summary>
public sealed record ComponentGraphLoadResult(
    ComponentGraphOptions? Options, IReadOnlyList<ConfigurationFault> Faults, IReadOnlyDictionary<string, IReadOnlyCollection<string>> KnownKeys);
