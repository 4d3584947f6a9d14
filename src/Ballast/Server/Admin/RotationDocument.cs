using System.Text.Json.Serialization;

namespace Ballast.Server.Admin;

/// <summary>How a key is rotated, as JSON.</summary>
public sealed record RotationDocument
{
    /// <summary>How long the old text is taken beside the new one.</summary>
    public long OverlapSeconds { get; init; }
}

/// <summary>How it is read: source-generated, unknown and repeated fields refused.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(RotationDocument))]
public sealed partial class AdminJson : JsonSerializerContext;
