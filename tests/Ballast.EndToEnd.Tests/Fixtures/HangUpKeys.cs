using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ballast.Configuration;
using Ballast.EndToEnd.Tests.Sdk;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>
/// Keys for hanging up, one for each SDK at each model: one request at a time may run by each. Whoever has hung up and is let in again by the same key has the proof that its
/// place is free.
/// </summary>
internal static class HangUpKeys
{
    /// <summary>The key of an SDK for a model; null where the SDK has none.</summary>
    public static string? Of(string owner, string model) => ErrorPlaces.Owners.Contains(owner) ? $"hang-up-key-of-{owner}-for-{model}" : null;

    public static BallastOptions AddTo(BallastOptions options) => options with
    {
        Keys =
        [
            .. options.Keys,
            .. ErrorPlaces.Owners.SelectMany(static owner => GatewayTargets.All.Select(at => (Owner: owner, at.Model))).Select(static (one, number) => new KeyOptions
            {
                Id = "hang-up-" + number.ToString(CultureInfo.InvariantCulture),
                Digest = SHA256.HashData(Encoding.UTF8.GetBytes(Of(one.Owner, one.Model)!)),
                App = one.Owner.Split('.')[0],
                RateLimits = new RateLimitOptions { ConcurrentRequests = 1 },
            }),
        ],
    };
}
