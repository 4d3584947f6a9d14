using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>What a batch asks of one model: the most that its requests may use.</summary>
/// <param name="Model">The model's public name.</param>
/// <param name="Requests">How many there are.</param>
/// <param name="Bytes">Their length; a token has at least a byte.</param>
/// <param name="Links">Addresses in them, behind which pictures or documents may lie.</param>
/// <param name="OutputTokens">Sum of the lengths that their answers may have.</param>
public sealed record BatchShare(string Model, int Requests, long Bytes, long Links, long OutputTokens)
{
    /// <summary>Searches of the web that all of them may make.</summary>
    public long Searches { get; init; }

    /// <summary>How many of them may search.</summary>
    public int SearchingRequests { get; init; }
}

/// <summary>
/// The body that begins a batch of Messages: <c>{"requests": [{"custom_id": …, "params": {"model": …, …}}]}</c>. Each <c>params</c> is looked at as if it had come alone;
/// every byte stays as it was but the models' names, and requests that hold reasoning of another vendor.
/// </summary>
public sealed class MessageBatchRequests : BatchInput
{
    /// <summary>Objects and arrays around a request.</summary>
    private const int DepthAround = 3;

    private const int LinksPerRequestMax = 1000;

    private readonly ReadOnlyMemory<byte> _body;
    private readonly Protocol _protocol;
    private readonly List<Request> _requests = [];
    private readonly List<BatchShare> _shares = [];

    private MessageBatchRequests(ReadOnlyMemory<byte> body, Protocol protocol)
    {
        _body = body;
        _protocol = protocol;
    }

    public override string Field => "requests";

    /// <summary>What is asked of each of <see cref="BatchInput.Models"/>, in their order.</summary>
    public IReadOnlyList<BatchShare> Shares => _shares;

    public override string PlaceOf(BatchModel model) => Say($"See request {model.Line} of the batch.");

    /// <summary>Reads all requests.</summary>
    /// <param name="body">The whole body; it is kept.</param>
    /// <param name="protocol">In which the requests are written.</param>
    /// <exception cref="ProtocolException">It is no such body; the message names the request.</exception>
    public static MessageBatchRequests Read(ReadOnlyMemory<byte> body, Protocol protocol)
    {
        MessageBatchRequests found = new(body, protocol);
        if (!Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The body is not valid UTF-8.");
        }

        try
        {
            found.Scan(body.Span);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw ProtocolException.Invalid("The body is not valid JSON.");
        }

        return found._requests.Count > 0 ? found : throw ProtocolException.Invalid("requests: must hold at least one request.", "requests");
    }

    public override JsonEdit[] EditsFor(Func<BatchModel, RequestTarget> target, LossReport losses)
    {
        RequestTarget[] targets = [.. Models.Select(target)];
        byte[][] names = [.. targets.Select(static one => Quote(one.Model))];
        return [.. _requests.Select(request => request.Whole.IsPresent
            ? new JsonEdit(request.Whole, Rewrite(request, targets[request.Model], losses))
            : new JsonEdit(request.Name, names[request.Model]))];
    }

    /// <summary>The request without what another vendor issued, which this one must not see.</summary>
    private ReadOnlyMemory<byte> Rewrite(Request request, RequestTarget target, LossReport losses)
    {
        ArrayBufferWriter<byte> written = new();
        _protocol.WriteRequest(_protocol.ReadRequest(_body.Slice(request.Whole.Start, request.Whole.Length)), target, losses, written);
        return written.WrittenMemory;
    }

    private void Scan(ReadOnlySpan<byte> body)
    {
        JsonScan json = new(body, JsonFields.DepthMax + DepthAround);
        if (!json.Demand((byte)'{'))
        {
            throw ProtocolException.Invalid("The body must be a JSON object.");
        }

        bool isFound = false;
        json.EnterObject();
        while (json.NextField())
        {
            if (!json.Is("requests"u8))
            {
                json.Skip();
                continue;
            }

            if (isFound || !json.Demand((byte)'['))
            {
                throw ProtocolException.Invalid("requests: must be one array.", "requests");
            }

            isFound = true;
            json.EnterArray();
            while (json.NextItem())
            {
                Add(ref json);
            }
        }

        json.End();
    }

    private void Add(ref JsonScan json)
    {
        int number = _requests.Count + 1;
        if (number > LinesMax)
        {
            throw ProtocolException.Invalid($"requests: may hold at most {LinesMax}.", "requests");
        }

        JsonSpan found = default;
        if (json.Demand((byte)'{'))
        {
            json.EnterObject();
            while (json.NextField())
            {
                bool isParams = json.Is("params"u8);
                JsonSpan value = json.Take();
                found = !isParams ? found : !found.IsPresent ? value : throw At(number, "params: is given twice.");
            }
        }

        if (!found.IsPresent)
        {
            throw At(number, "must be an object with 'params'.");
        }

        Add(found, Look(found, number), number);
    }

    private RequestEnvelope Look(JsonSpan found, int number)
    {
        try
        {
            return _protocol.Peek(_body.Slice(found.Start, found.Length));
        }
        catch (ProtocolException refused)
        {
            throw At(number, refused.Error.Message);
        }
    }

    private void Add(JsonSpan found, RequestEnvelope told, int number)
    {
        int model = Note(told.Model, number);
        if (model < 0)
        {
            throw At(number, $"is the first to name more than {ModelsMax} models.");
        }

        if (model == _shares.Count)
        {
            _shares.Add(new BatchShare(told.Model, 0, 0, 0, 0));
        }

        BatchShare share = _shares[model];
        int searches = SearchBound.Of(told.Body.Span, isSure: false);
        _shares[model] = share with
        {
            Requests = share.Requests + 1,
            Bytes = share.Bytes + found.Length,
            Links = share.Links + Math.Min(LinksPerRequestMax, told.Body.Span.Count("://"u8)),
            OutputTokens = share.OutputTokens + Math.Clamp(told.MaxOutputTokens ?? 0, 0, int.MaxValue),
            Searches = share.Searches + searches,
            SearchingRequests = share.SearchingRequests + Math.Min(1, searches),
        };
        _requests.Add(new Request(model, told.ModelValue with { Start = found.Start + told.ModelValue.Start }, told.HasForeignThinking ? found : default));
    }

    private static ProtocolException At(int number, string what) =>
        new(new ChatError(ChatErrorKind.InvalidRequest, Say($"Request {number} of the batch: {what}")) { Param = "requests" });

    /// <param name="Model">Which of the models it names.</param>
    /// <param name="Name">Where it names it.</param>
    /// <param name="Whole">Where it lies, if it must be written anew.</param>
    private readonly record struct Request(int Model, JsonSpan Name, JsonSpan Whole);
}
