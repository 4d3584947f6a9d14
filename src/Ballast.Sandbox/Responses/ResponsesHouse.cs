using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Responses;

/// <summary>What the Responses API of one platform takes from that platform.</summary>
internal sealed record ResponsesHouse(SandboxServices Services, string Platform, FileCabinet Files)
{
    public required AnswerStyle Style { get; init; }

    public required long ContextTokens { get; init; }

    /// <summary>A model that answers; null where there is none of that name.</summary>
    public required Func<string, SandboxModel?> FindModel { get; init; }

    public required Func<string, VendorError> UnknownModel { get; init; }

    public required Func<string, string> ServedName { get; init; }

    /// <summary>Refuses a prompt before any answer, where the platform does so.</summary>
    public required Action<Prompt> CheckPolicy { get; init; }

    public required Action<Visit, long> WriteRate { get; init; }

    /// <summary>How many tokens of an input (model, text, tokens) are cached already.</summary>
    public required Func<string, string, long, long> UseCache { get; init; }

    public required Func<Visit, StreamEvent> ErrorEvent { get; init; }

    public ResponsesSeal Seal { get; } = new(Platform, Services.Options.ReplaysRecordings);

    public bool IsLenient => Services.Options.ReplaysRecordings;
}
