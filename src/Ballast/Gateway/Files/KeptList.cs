using System.Globalization;
using System.Text.Json;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols;
using Ballast.Routing.Metering;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>
/// Lists what an app has, wherever it lies: from what is remembered, since a provider's own list would name other apps' files too. What may have changed since is asked
/// for anew; where that fails, it is told as it was last seen.
/// </summary>
internal sealed class KeptList(Exchange exchange, HandleStore handles, KeptAnswers answers, UpstreamCall call, QuotaBook quotas, ClientResponse response)
{
    /// <summary>Most files in one answer, and as many as there are where the client sets no limit.</summary>
    public const int FilesMax = 10_000;

    /// <summary>Most batches in one answer.</summary>
    public const int BatchesMax = 100;

    private const int BatchesUsual = 20;

    /// <summary>Things asked for anew for one list, and how many of them at once.</summary>
    private const int LooksMax = 32;
    private const int LooksAtOnce = 8;

    public async Task SendAsync(HandleKind kind, CancellationToken aborted)
    {
        HandleQuery query = await ReadQueryAsync(kind).ConfigureAwait(false);
        HandlePage page = await handles.ListAsync(exchange.Key.App, query).ConfigureAwait(false);
        Dictionary<string, ReadOnlyMemory<byte>> seen = page.Handles.ToDictionary(static handle => handle.Name, static handle => handle.Object);
        foreach (Handle[] some in page.Handles.Where(static handle => !handle.IsFinal || handle.Object.IsEmpty).Take(LooksMax).Chunk(LooksAtOnce))
        {
            foreach ((Handle handle, ReadOnlyMemory<byte> now) in await Task.WhenAll(some.Select(handle => LookAsync(handle, aborted))).ConfigureAwait(false))
            {
                seen[handle.Name] = now;
            }
        }

        Handle[] listed = [.. page.Handles.Where(handle => !seen[handle.Name].IsEmpty)];
        bool isMessages = kind == HandleKind.MessageBatch;
        if (isMessages && query.IsAscending)
        {
            Array.Reverse(listed);
        }

        Write(listed, seen, page.HasMore, isMessages);
        response.SetIds();
        response.SetJson();
        await response.SendHeldAsync(aborted).ConfigureAwait(false);
    }

    private async Task<HandleQuery> ReadQueryAsync(HandleKind kind)
    {
        int most = kind == HandleKind.File ? FilesMax : BatchesMax;
        int limit = kind == HandleKind.File ? FilesMax : BatchesUsual;
        if (Query("limit") is { } wanted && (!int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit < 1 || limit > most))
        {
            throw ProtocolException.Invalid($"Invalid value for 'limit': a whole number from 1 to {most}.", "limit");
        }

        if (kind == HandleKind.MessageBatch)
        {
            return await ReadMessageQueryAsync(limit).ConfigureAwait(false);
        }

        if (Query("order") is { } order && order is not ("asc" or "desc"))
        {
            throw ProtocolException.Invalid("Invalid value for 'order': 'asc' or 'desc'.", "order");
        }

        string? after = Query("after");
        if (after is not null && await handles.FindAsync(after, kind, exchange.Key.App).ConfigureAwait(false) is null)
        {
            throw new GatewayException(kind == HandleKind.File ? GatewayError.FileNotFound : GatewayError.BatchNotFound, param: "after");
        }

        return new HandleQuery(kind, limit, after, Query("order") == "asc", kind == HandleKind.File ? Query("purpose") : null);
    }

    /// <summary>Anthropic's lists begin with the newest; <c>before_id</c> asks for those that are newer.</summary>
    private async Task<HandleQuery> ReadMessageQueryAsync(int limit)
    {
        string? before = Query("before_id");
        string? at = Query("after_id") ?? before;
        if (at is not null && await handles.FindAsync(at, HandleKind.MessageBatch, exchange.Key.App).ConfigureAwait(false) is null)
        {
            throw new GatewayException(GatewayError.BatchNotFound, param: before is null ? "after_id" : "before_id");
        }

        return new HandleQuery(HandleKind.MessageBatch, limit, at, IsAscending: before is not null && at == before);
    }

    private string? Query(string name) => exchange.Address.Query?.Invoke(name) is { Length: > 0 } value ? value : null;

    private async Task<(Handle Handle, ReadOnlyMemory<byte> Now)> LookAsync(Handle handle, CancellationToken aborted)
    {
        Deployment deployment;
        try
        {
            deployment = KeptPlace.Of(exchange, handle);
        }
        catch (GatewayException)
        {
            return (handle, handle.Object);
        }

        Attempt attempt = exchange.BeginAttempt(deployment);
        if (!quotas.TryTake(exchange, attempt, isOfAccount: true))
        {
            exchange.Attempts.Remove(attempt);
            return (handle, handle.Object);
        }

        attempt.Result = AttemptResult.Cancelled;
        LookWork work = new(exchange, handle, answers);
        using UpstreamMessage message = work.Build(attempt);
        try
        {
            UpstreamFailure? failure = await call.RunAsync(exchange, attempt, message, response, aborted, work).ConfigureAwait(false);
            attempt.Result = failure is null ? AttemptResult.Completed : AttemptResult.Failed;
            attempt.Reason = failure?.Code;
            return (handle, failure is null ? work.Seen : handle.Object);
        }
        finally
        {
            attempt.Duration = exchange.Time.GetElapsedTime(attempt.StartedTimestamp);
            quotas.Settle(attempt);
        }
    }

    private void Write(Handle[] listed, Dictionary<string, ReadOnlyMemory<byte>> seen, bool hasMore, bool isMessages)
    {
        using Utf8JsonWriter writer = new(response.Output);
        writer.WriteStartObject();
        if (!isMessages)
        {
            writer.WriteString("object", "list");
        }

        writer.WriteStartArray("data");
        foreach (Handle handle in listed)
        {
            // It was read as JSON before it was remembered.
            writer.WriteRawValue(seen[handle.Name].Span, skipInputValidation: true);
        }

        writer.WriteEndArray();
        writer.WriteString("first_id", listed.FirstOrDefault()?.Name);
        writer.WriteString("last_id", listed.LastOrDefault()?.Name);
        writer.WriteBoolean("has_more", hasMore);
        writer.WriteEndObject();
    }
}
