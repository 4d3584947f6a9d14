using Ballast.Configuration;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>
/// Where SDKs meet every kind of error: a prompt that holds <c>fault:KIND</c> meets that fault at whatever platform it comes to. A deployment that was told to wait rests, for
/// everybody who asks for it: each SDK has copies of its own to be rate limited at.
/// </summary>
internal static class ErrorPlaces
{
    /// <summary>What a rate limit tells to wait.</summary>
    public const int RetryAfterSeconds = 7;

    private static readonly FaultKind[] s_kinds =
    [
        FaultKind.RateLimit, FaultKind.Error500, FaultKind.Error503, FaultKind.Overloaded529, FaultKind.Forbidden403, FaultKind.TooLarge413, FaultKind.StreamErrorAfter,
    ];

    /// <summary>Whoever has copies: the SDK's own client and the protocol that it speaks.</summary>
    public static readonly string[] Owners =
    [
        "npm-openai.openai", "npm-openai.azure", "npm-anthropic.anthropic", "npm-ai.openai", "npm-ai.responses", "npm-ai.anthropic", "npm-langchain.openai", "npm-langchain.responses",
        "npm-langchain.anthropic", "npm-google.gemini", "npm-vertex-ai.gemini", "npm-vertex.anthropic", "npm-foundry.anthropic", "npm-bedrock.anthropic", "npm-responses.openai",
        "npm-aws.converse", "npm-aws.http2", "nuget-openai.openai", "nuget-anthropic.anthropic", "nuget-extensions.openai", "nuget-extensions.anthropic", "nuget-responses.openai",
        "nuget-bedrock.anthropic", "nuget-vertex.anthropic", "nuget-foundry.anthropic",
    ];

    public static void AddTo(FaultBook faults)
    {
        foreach (FaultKind kind in s_kinds)
        {
            faults.Add(new FaultRule
            {
                Platform = "*",
                Kind = kind,
                AfterEvents = 8, // so that content has come before it
                BodyContains = "fault:" + FaultKindNames.NameOf(kind),
                RetryAfter = kind == FaultKind.RateLimit ? TimeSpan.FromSeconds(RetryAfterSeconds) : null,
            });
        }
    }

    /// <summary>The copy of a deployment that an SDK is rate limited at; null where the SDK has none.</summary>
    public static string? CopyOf(string model, string owner) => Owners.Contains(owner) ? $"{model}.{owner}" : null;

    public static BallastOptions WithCopies(BallastOptions options) => options with
    {
        Providers =
        [
            .. options.Providers.Select(static provider => provider with
            {
                Deployments =
                [
                    .. provider.Deployments,
                    .. provider.Deployments.Where(static one => !one.Embedding).SelectMany(static one => Owners.Select(owner => one with { Name = CopyOf(one.Name, owner)!, Model = one.Model ?? one.Name })),
                ],
            }),
        ],
    };
}
