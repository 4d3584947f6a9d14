namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>How one NuGet SDK is made to meet errors, and what it then throws.</summary>
internal sealed record ErrorProbe
{
    /// <summary>Sends a prompt.</summary>
    public required Func<SdkTarget, string, Task> AskAsync { get; init; }

    /// <summary>Sends what breaks the protocol.</summary>
    public required Func<SdkTarget, Task> AskWronglyAsync { get; init; }

    /// <summary>Streams the answer to a prompt, to its end.</summary>
    public required Func<SdkTarget, string, Task> StreamAsync { get; init; }

    /// <summary>Status, request id and <c>Retry-After</c> of an error; the id and the wait are null where the SDK does not show them.</summary>
    public required Func<Exception, (int Status, string? Id, string? Wait)> Look { get; init; }

    /// <summary>The SDK's class for a status; for 0, an error within a stream.</summary>
    public required Func<int, Type> ClassOf { get; init; }

    /// <summary>Statuses that differ from the usual ones, by what goes wrong.</summary>
    public IReadOnlyDictionary<string, int[]> Statuses { get; init; } = new Dictionary<string, int[]>();

    /// <summary>The SDK shows the id of the request that failed.</summary>
    public bool ShowsId { get; init; } = true;

    /// <summary>The SDK shows how long to wait.</summary>
    public bool ShowsWait { get; init; } = true;
}

/// <summary>Every kind of error, at its platform or through the gateway: the same as <c>errorKinds</c> in <c>node/suite.mjs</c>.</summary>
internal static class ErrorKinds
{
    // What each platform calls overloaded: 529 where it has that status. An own machine with 503 means just that, and Anthropic's protocol has a word for it.
    private static readonly int[] s_overloaded = [529, 503, 429];

    public static async Task CheckAsync(SdkTarget target, ErrorProbe probe)
    {
        SdkTarget here = target with { Url = target.FailingUrl ?? target.Url };
        SdkTarget limited = here with { Model = target.LimitedModel ?? target.Model };
        SdkTarget stranger = here with { Key = Samples.WrongKey, Aws = target.Aws is { } aws ? (aws.Id, "not the secret") : null };
        (string Kind, int[] Statuses, Func<Task> Ask)[] kinds =
        [
            ("wrong", [400], () => probe.AskWronglyAsync(here)),
            ("key", [target.WrongKeyStatus], () => probe.AskAsync(stranger, "Hello")),
            ("forbidden", [403], () => target.IsGateway ? probe.AskAsync(here with { Key = target.NarrowKey! }, "Hello") : probe.AskAsync(here, Fault("forbidden-403"))),
            ("unknown", [404], () => probe.AskAsync(here with { Model = target.UnknownModel }, "Hello")),
            ("large", [413], () => probe.AskAsync(here, target.IsGateway ? new string('x', 1_200_000) : Fault("too-large-413"))),
            ("limited", [429], () => probe.AskAsync(limited, Fault("rate-limit"))),
            ("failed", [500], () => probe.AskAsync(here, Fault("error-500"))),
            ("unavailable", target.Vendor == "alibaba" ? [503, 529] : [503], () => probe.AskAsync(here, Fault("error-503"))),
            ("overloaded", s_overloaded, () => probe.AskAsync(here, Fault("overloaded-529"))),
        ];
        foreach ((string kind, int[] usual, Func<Task> ask) in kinds)
        {
            Exception error = await Assert.ThrowsAnyAsync<Exception>(ask);
            (int status, string? id, string? wait) = probe.Look(error);
            string told = $"{kind}: {error.GetType().Name}, status {status}, id '{id}', wait '{wait}': {error.Message}";
            Assert.True(probe.Statuses.GetValueOrDefault(kind, usual).Contains(status), told);
            Assert.True(probe.ClassOf(status).IsInstanceOfType(error), $"{told}; expected was {probe.ClassOf(status).Name}.");
            Assert.True(!probe.ShowsId || (target.IsGateway ? id?.StartsWith("req_", StringComparison.Ordinal) == true : id?.Length > 5), told);
            Assert.True(!probe.ShowsWait || kind != "limited" || wait == "7", told);
            if (target is { IsGateway: true, IsRefusalKnown: { } known } && id is not null)
            {
                Assert.Null(await known(id));
            }
        }

        // The answer has begun, so that the status is 200: the error comes in the stream.
        Exception late = await Assert.ThrowsAnyAsync<Exception>(() => probe.StreamAsync(here, Samples.CountPrompt + " And meet fault:stream-error-after."));
        Assert.True(probe.ClassOf(0).IsInstanceOfType(late), $"stream: {late}");
    }

    private static string Fault(string kind) => $"Please meet fault:{kind} now.";
}
