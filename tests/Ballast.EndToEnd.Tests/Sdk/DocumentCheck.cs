using System.ClientModel;
using Anthropic.Exceptions;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>A document in a request of a NuGet SDK: the same as <c>checkDocument</c> in <c>node/suite.mjs</c>.</summary>
internal static class DocumentCheck
{
    public const string Prompt = "Summarise this.";

    /// <summary>
    /// The answer names the document. Where a platform takes none, the request is refused with a reason, or goes on without it, and where it stood is named; of a route whose
    /// deployments differ either is good.
    /// </summary>
    public static async Task RunAsync(SdkTarget target, Func<HttpClient, Task<string>> ask, string pointer)
    {
        using WatchedHandler watched = new();
        using HttpClient http = new(watched);
        bool lacks = target.Lacks.Contains(SdkLack.Documents);
        bool mayLack = lacks || target.Vendor == GatewayTargets.AnyVendor;
        string text;
        try
        {
            text = await ask(http);
        }
        catch (Exception refusal) when (mayLack && refusal is ClientResultException { Status: 400 } or AnthropicBadRequestException)
        {
            return;
        }

        bool isWhole = text.Contains("the document", StringComparison.Ordinal);
        Assert.True(isWhole ? !lacks : mayLack, $"{text} lost '{watched.Losses}'");
        Assert.Equal(!isWhole, watched.Losses.Split(", ").Contains(pointer));
    }
}
