using System.ClientModel;
using Anthropic.Exceptions;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>Whoever has hung up is let in again by the same key, by which one request at a time may run: the same as <c>assertFree</c> in <c>node/suite.mjs</c>.</summary>
internal static class FreePlace
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(20);

    public static async Task AssertAsync(SdkTarget target, Func<SdkTarget, Task> ask)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (target.IsGateway)
        {
            try
            {
                await ask(target.Slow);
                return;
            }
            catch (Exception refusal) when (refusal is ClientResultException { Status: 429 } or AnthropicRateLimitException && TimeProvider.System.GetElapsedTime(start) < Within)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }
}
