using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols;
using Ballast.Protocols.Operations;
using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Upstream;

namespace Ballast.Gateway.Files;

/// <summary>
/// Files and batches. They stay with the provider that made them and with the app that asked for them: clients know them by handles that say nothing, and no path or name
/// of a caller ever becomes part of an upstream's address. Only an upload, before any provider has taken it, may go to another one.
/// </summary>
public sealed class FileHandler(HandleStore handles, Failover failover, UpstreamCall call, UpstreamClient client, HealthBook health, QuotaBook quotas)
{
    /// <summary>Names the model, and with it the provider, that an upload is for.</summary>
    public const string ModelHeader = "x-ballast-model";

    /// <summary>A file has a place, and no model answers for it.</summary>
    private static readonly Model s_noModel = new("", Selection.Ordered, [], 0);

    private readonly TakeBack _takeBack = new(client, quotas);

    /// <summary>Answers one request of an admitted client.</summary>
    /// <exception cref="GatewayException">It cannot be done.</exception>
    /// <exception cref="ProtocolException">The request breaks its protocol.</exception>
    public Task RunAsync(Exchange exchange, ClientRequest request, ClientResponse response, CancellationToken aborted)
    {
        exchange.Envelope = new RequestEnvelope { Body = default, Model = "" };
        exchange.Model = s_noModel;
        KeptAnswers answers = new(exchange, handles, response);
        return exchange.Operation switch
        {
            Operation.FileUpload => UploadAsync(exchange, request, response, answers, aborted),
            Operation.FileList => new KeptList(exchange, handles, answers, call, quotas, response).SendAsync(HandleKind.File, aborted),
            Operation.BatchList => new KeptList(exchange, handles, answers, call, quotas, response).SendAsync(HandleKind.Batch, aborted),
            Operation.BatchCreate => BeginBatchAsync(exchange, request, response, answers, aborted),
            Operation.FileContent => AskAsync(exchange, response, HandleKind.File, subject => new ContentWork(exchange, subject, response), aborted),
            Operation.FileRetrieve => AskAsync(exchange, response, HandleKind.File, subject => new ObjectWork(exchange, subject, "GET", "", answers), aborted),
            Operation.FileDelete => DeleteAsync(exchange, HandleKind.File, response, answers, aborted),
            Operation.BatchRetrieve => AskAsync(exchange, response, HandleKind.Batch, subject => new ObjectWork(exchange, subject, "GET", "", answers), aborted),
            Operation.BatchCancel => AskAsync(exchange, response, HandleKind.Batch, subject => new ObjectWork(exchange, subject, "POST", "/cancel", answers), aborted),
            Operation.MessageBatchCreate => BeginMessagesAsync(exchange, request, response, answers, aborted),
            Operation.MessageBatchList => new KeptList(exchange, handles, answers, call, quotas, response).SendAsync(HandleKind.MessageBatch, aborted),
            Operation.MessageBatchRetrieve => AskAsync(exchange, response, HandleKind.MessageBatch, subject => new ObjectWork(exchange, subject, "GET", "", answers), aborted),
            Operation.MessageBatchCancel => AskAsync(exchange, response, HandleKind.MessageBatch, subject => new ObjectWork(exchange, subject, "POST", "/cancel", answers), aborted),
            Operation.MessageBatchDelete => DeleteAsync(exchange, HandleKind.MessageBatch, response, answers, aborted),
            Operation.MessageBatchResults => AskAsync(exchange, response, HandleKind.MessageBatch, subject => new ResultsWork(exchange, subject, handles, response), aborted),
            _ => throw new InvalidOperationException($"{exchange.Operation} is not about files."),
        };
    }

    private async Task UploadAsync(Exchange exchange, ClientRequest request, ClientResponse response, KeptAnswers answers, CancellationToken aborted)
    {
        await RequireRoomAsync(exchange).ConfigureAwait(false);
        ReadOnlyMemory<byte> body = await request.ReceiveBodyAsync(exchange).ConfigureAwait(false);
        // A hundred thousand lines take a while: the loop that serves other clients meanwhile is not where they are read.
        string? contentType = request.Header("content-type");
        (UploadForm form, BatchLines? lines) = await Task.Run(() => Read(body, contentType), aborted).ConfigureAwait(false);
        string? model = request.Header(ModelHeader) is { Length: > 0 } header ? header : form.Model ?? exchange.Address.Query?.Invoke("model");
        IReadOnlyList<KeptPlace> places = KeptPlace.Find(exchange, model, lines);
        IReadOnlyList<string> models = [.. lines?.Models.Select(static one => one.Name) ?? []];
        exchange.RequestedModel = model ?? (models.Count > 0 ? models[0] : "");
        UploadWork work = new(exchange, form, lines, models, places, answers, _takeBack);
        await failover.RunAsync(exchange, PlanOf(places), response, aborted, work).ConfigureAwait(false);
    }

    private static (UploadForm Form, BatchLines? Lines) Read(ReadOnlyMemory<byte> body, string? contentType)
    {
        UploadForm form = UploadForm.Read(body, contentType);
        return (form, form.Purpose == "batch" ? BatchLines.Read(form.File.Span) : null);
    }

    private async Task BeginMessagesAsync(Exchange exchange, ClientRequest request, ClientResponse response, KeptAnswers answers, CancellationToken aborted)
    {
        await RequireRoomAsync(exchange).ConfigureAwait(false);
        request.TakeHeaders(exchange);
        ReadOnlyMemory<byte> body = await request.ReceiveBodyAsync(exchange).ConfigureAwait(false);
        MessageBatchRequests requests = await Task.Run(() => MessageBatchRequests.Read(body, exchange.Protocol), aborted).ConfigureAwait(false);
        IReadOnlyList<KeptPlace> places = KeptPlace.Find(exchange, null, requests);
        exchange.RequestedModel = requests.Models[0].Name;
        exchange.BatchShares = requests.Shares;
        MessageBatchWork work = new(exchange, body, requests, places, answers, _takeBack);
        await failover.RunAsync(exchange, PlanOf(places), response, aborted, work).ConfigureAwait(false);
    }

    private async Task BeginBatchAsync(Exchange exchange, ClientRequest request, ClientResponse response, KeptAnswers answers, CancellationToken aborted)
    {
        ReadOnlyMemory<byte> body = await request.ReceiveBodyAsync(exchange).ConfigureAwait(false);
        BatchRequest batch = BatchRequest.Read(body.Span);
        Handle input = await handles.FindAsync(batch.InputFileId, HandleKind.File, exchange.Key.App).ConfigureAwait(false)
            ?? throw new GatewayException(GatewayError.FileNotFound, param: "input_file_id");
        if (input.Purpose != "batch")
        {
            throw new GatewayException(GatewayError.NotBatchInput, param: "input_file_id");
        }

        // Its lines were written for the key that uploaded it; another key of the app may use less.
        if (exchange.Key.Models is { } allowed && !input.Models.All(allowed.Contains))
        {
            throw new GatewayException(GatewayError.ModelNotAllowed, param: "input_file_id");
        }

        await RequireRoomAsync(exchange).ConfigureAwait(false);
        await AskAsync(exchange, response, input, new BatchWork(exchange, input, body, batch, answers, _takeBack), aborted).ConfigureAwait(false);
    }

    private async Task DeleteAsync(Exchange exchange, HandleKind kind, ClientResponse response, KeptAnswers answers, CancellationToken aborted)
    {
        Handle subject = await FindAsync(exchange, kind).ConfigureAwait(false);
        RoutePlan plan = new([KeptPlace.Of(exchange, subject)]);
        exchange.Batch = kind == HandleKind.MessageBatch && !subject.IsFinal ? subject.Name : null;
        try
        {
            await failover.RunAsync(exchange, plan, response, aborted, new ObjectWork(exchange, subject, "DELETE", "", answers)).ConfigureAwait(false);
        }
        finally
        {
            // What the provider does not know is deleted, too.
            if (exchange.Attempts is [{ UpstreamStatus: (>= 200 and < 300) or 404 }])
            {
                await handles.RemoveAsync(subject).ConfigureAwait(false);
            }
        }
    }

    private async Task AskAsync(Exchange exchange, ClientResponse response, HandleKind kind, Func<Handle, AttemptWork> work, CancellationToken aborted)
    {
        Handle subject = await FindAsync(exchange, kind).ConfigureAwait(false);
        await AskAsync(exchange, response, subject, work(subject), aborted).ConfigureAwait(false);
    }

    private Task AskAsync(Exchange exchange, ClientResponse response, Handle subject, AttemptWork work, CancellationToken aborted)
    {
        exchange.RequestedModel = subject.Models.Count > 0 ? subject.Models[0] : "";
        return failover.RunAsync(exchange, new RoutePlan([KeptPlace.Of(exchange, subject)]), response, aborted, work);
    }

    private async Task<Handle> FindAsync(Exchange exchange, HandleKind kind) =>
        await handles.FindAsync(exchange.Address.Handle ?? "", kind, exchange.Key.App).ConfigureAwait(false)
        ?? throw new GatewayException(kind == HandleKind.File ? GatewayError.FileNotFound : GatewayError.BatchNotFound, param: "id");

    private async Task RequireRoomAsync(Exchange exchange)
    {
        LimitsOptions limits = exchange.Catalog.Limits;
        if (await handles.CountAsync(exchange.Key.App).ConfigureAwait(false) >= limits.HandlesPerAppMax)
        {
            throw new GatewayException(GatewayError.HandlesFull);
        }
    }

    /// <summary>In their order, but those whose models fail at present come last: their provider is more likely to be away.</summary>
    private RoutePlan PlanOf(IReadOnlyList<KeptPlace> places)
    {
        bool IsAway(Deployment deployment) => health.Find(deployment) is { IsOpen: true };
        return new RoutePlan([.. places.Select(static place => place.Deployment).OrderBy(IsAway)]);
    }
}
