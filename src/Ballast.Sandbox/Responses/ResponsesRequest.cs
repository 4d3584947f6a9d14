using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Responses;

/// <summary>A checked request of the Responses API.</summary>
internal sealed record ResponsesRequest
{
    public required Prompt Prompt { get; init; }
    public required string InputText { get; init; }
    public required long InputTokens { get; init; }

    /// <summary>What this request itself has brought, as it is kept: JSON, each with an id.</summary>
    public required IReadOnlyList<string> OwnItems { get; init; }

    /// <summary>What was said before, where the platform has kept it.</summary>
    public required IReadOnlyList<string> EarlierItems { get; init; }

    /// <summary>What an answer repeats of its request.</summary>
    public required JsonObject Echo { get; init; }
    public bool Stream { get; init; }
    public bool Background { get; init; }
    public bool Store { get; init; } = true;
    public bool Obfuscates { get; init; } = true;

    /// <summary>The reasoning is told in a summary.</summary>
    public bool Summarises { get; init; }

    /// <summary>The reasoning comes encrypted, so that it can be sent back.</summary>
    public bool GivesEncrypted { get; init; }
    public bool GivesLogprobs { get; init; }
    public string? ConversationId { get; init; }
}
