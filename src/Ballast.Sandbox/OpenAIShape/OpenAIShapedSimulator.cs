using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Responses;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>A platform whose models answer in the shape of Chat Completions.</summary>
internal abstract class OpenAIShapedSimulator(SandboxServices services) : PlatformSimulator
{
    private readonly PrefixCache _prefixes = new();

    protected SandboxServices Services => services;

    protected abstract ChatDialect Dialect { get; }

    protected abstract long ContextTokens { get; }

    public override long MaxBodyBytes => 48L * 1024 * 1024;

    public override VendorError TooLarge =>
        new(413, "invalid_request_error", "Request body is too large. Please reduce the size of your request and try again.");

    /// <summary>The name under which the model answers.</summary>
    protected virtual string ServedName(string model) => model;

    protected abstract VendorError UnknownModel(string model);

    /// <summary>The rate-limit headers; called once the tokens are known.</summary>
    protected abstract void WriteRate(Visit visit, long tokens);

    public override StreamEvent ErrorEvent(Visit visit) => ResponsesDesk.IsOne(visit.Path)
        ? ResponsesDesk.ErrorEvent(FaultError(FaultKind.Error500, visit), visit)
        : new StreamEvent(ErrorBody(FaultError(FaultKind.Error500, visit), visit).ToJsonString(RelaxedJson.Options));

    protected static VendorErrorException UnknownPath(string method, string path) =>
        new(new VendorError(404, "invalid_request_error", $"Invalid URL ({method} {path})"));

    /// <summary>An error in OpenAI's own envelope.</summary>
    protected static JsonObject Envelope(VendorError error) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = error.Message,
            ["type"] = error.Type,
            ["param"] = error.Param,
            ["code"] = error.Code,
        },
    };

    protected async Task ChatAsync(Visit visit, string? deployment = null)
    {
        using JsonDocument document = visit.ParseBody() ?? throw ChatErrors.Malformed();
        JsonElement body = document.RootElement;
        string model = deployment ?? ReadModel(body);
        if (!Models.Any(known => known.Name == model && known.Chat))
        {
            throw new VendorErrorException(UnknownModel(model));
        }

        ChatRequest request = ChatRequestReader.Read(body, Name, model, services.Options.ReplaysRecordings);
        if (request.InputTokens > ContextTokens)
        {
            throw ChatErrors.Refused(
                "messages",
                "context_length_exceeded",
                $"Input tokens exceed the configured limit of {ContextTokens} tokens. "
                + $"Your messages resulted in {request.InputTokens} tokens. "
                + "Please reduce the length of the messages.");
        }

        CheckPolicy(request.Prompt);
        ChatReply reply = Compose(visit, request, model);
        visit.Billing.CacheReadTokens = reply.CachedTokens;
        visit.Billing.InputTokens = request.InputTokens - reply.CachedTokens;
        WriteRate(visit, request.InputTokens + (request.Prompt.MaxTokens ?? reply.CompletionTokens));
        visit.Pace = visit.Pace.For(reply.CompletionTokens);
        await SendAsync(visit, reply).ConfigureAwait(false);
        visit.Billing.Finish = visit.EndedWell ? ChatReply.FinishOf(reply.Answers[0], request) : null;
    }

    /// <summary>The platform's Responses API, for those that have it.</summary>
    protected ResponsesDesk OpenResponses(FileCabinet files) => new(new ResponsesHouse(services, Name, files)
    {
        Style = Dialect.Style,
        ContextTokens = ContextTokens,
        FindModel = name => Models.FirstOrDefault(known => known.Name == name && known.Chat),
        UnknownModel = UnknownInResponses,
        ServedName = ServedName,
        CheckPolicy = CheckPolicy,
        WriteRate = WriteRate,
        UseCache = _prefixes.Use,
        ErrorEvent = ErrorEvent,
    });

    protected virtual VendorError UnknownInResponses(string model) =>
        new(400, "invalid_request_error", $"The requested model '{model}' does not exist.", "model_not_found", "model");

    /// <summary>Answers one request of a batch: chat, at once and whole.</summary>
    /// <exception cref="VendorErrorException">The request is refused.</exception>
    protected JsonNode AnswerInBatch(Visit visit, JsonElement body)
    {
        string model = ReadModel(body);
        if (!Models.Any(known => known.Name == model && known.Chat))
        {
            throw new VendorErrorException(UnknownModel(model));
        }

        ChatRequest request = ChatRequestReader.Read(body, Name, model, services.Options.ReplaysRecordings);
        CheckPolicy(request.Prompt);
        return ChatWholeWriter.Write(Compose(visit, request, model));
    }

    protected async Task EmbedAsync(Visit visit, string? deployment = null)
    {
        using JsonDocument document = visit.ParseBody() ?? throw ChatErrors.Malformed();
        JsonElement body = document.RootElement;
        string model = deployment ?? ReadModel(body);
        if (!Models.Any(known => known.Name == model && known.Embeddings))
        {
            throw new VendorErrorException(UnknownModel(model));
        }

        WriteRate(visit, 1);
        await EmbeddingsEndpoint.AnswerAsync(visit, body, ServedName(model)).ConfigureAwait(false);
    }

    protected async Task ListModelsAsync(Visit visit)
    {
        JsonArray data = [];
        foreach (SandboxModel model in Models)
        {
            data.Add((JsonNode)DescribeModel(model.Name));
        }

        await AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["object"] = "list", ["data"] = data }).ConfigureAwait(false);
    }

    protected async Task ShowModelAsync(Visit visit, string model)
    {
        if (!Models.Any(known => known.Name == model))
        {
            throw new VendorErrorException(UnknownModel(model));
        }

        await AnswerPlayer.SendAsync(visit, 200, DescribeModel(model)).ConfigureAwait(false);
    }

    protected virtual JsonObject DescribeModel(string model) => new()
    {
        ["id"] = model,
        ["object"] = "model",
        ["created"] = 1_764_000_000,
        ["owned_by"] = "system",
    };

    /// <summary>Refuses a prompt before any answer, where the platform does so.</summary>
    protected virtual void CheckPolicy(Prompt prompt)
    {
    }

    protected virtual AnswerStyle StyleFor(string model) => Dialect.Style;

    private static string ReadModel(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.Malformed();
        }

        string? model = ChatFields.Text(body, "model", "model");
        return string.IsNullOrEmpty(model) ? throw ChatErrors.Refused(null, null, "you must provide a model parameter") : model;
    }

    private ChatReply Compose(Visit visit, ChatRequest request, string model)
    {
        long? most = request.Prompt.MaxTokens;
        long hidden = Dialect.ShowsReasoning ? 0 : Math.Min(request.ReasoningTokens, most ?? long.MaxValue);
        Prompt prompt = request.Prompt with
        {
            MaxTokens = most - hidden,
            ThinkingTokens = Dialect.ShowsReasoning ? request.ReasoningTokens : 0,
            ToolUse = Dialect.IgnoresToolChoice ? ToolUse.Auto : request.Prompt.ToolUse,
        };
        AnswerStyle style = StyleFor(model);
        List<Answer> answers = [];
        for (int choice = 0; choice < request.Choices; choice++)
        {
            answers.Add(services.Author.Write(prompt, style, choice));
        }

        Dice dice = visit.Dice;
        string id = Dialect.UuidMessageIds ? dice.NextGuid().ToString() : dice.NextId(29);
        visit.Dice = dice;
        return new ChatReply(request, answers, Dialect)
        {
            Id = "chatcmpl-" + id,
            Created = services.Time.GetUtcNow().ToUnixTimeSeconds(),
            ServedModel = ServedName(model),
            CachedTokens = Dialect.CachesPrefixes ? _prefixes.Use(model, request.InputText, request.InputTokens) : 0,
            HiddenReasoning = hidden,
            OmitsUsage = visit.HasFault(FaultKind.MissingUsage),
        };
    }

    private async Task SendAsync(Visit visit, ChatReply reply)
    {
        if (reply.Request.Stream)
        {
            IEnumerable<StreamEvent> events = new ChatStreamWriter(reply, visit.Dice).Events();
            await AnswerPlayer.StreamAsync(visit, events, ErrorEvent(visit)).ConfigureAwait(false);
            return;
        }

        List<Piece> pieces = [.. reply.Answers.SelectMany(answer => answer.Pieces)];
        if (reply.HiddenReasoning > 0)
        {
            pieces.Insert(0, new Piece(PieceKind.Thinking, "", (int)reply.HiddenReasoning));
        }

        await AnswerPlayer.WholeAsync(visit, ChatWholeWriter.Write(reply), pieces).ConfigureAwait(false);
    }

    /// <summary>A duration as OpenAI's headers tell it: <c>120ms</c>, <c>1.2s</c>, <c>6m0s</c>.</summary>
    protected static string Duration(TimeSpan length) => length switch
    {
        { TotalSeconds: < 1 } => ((int)length.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "ms",
        { TotalMinutes: < 1 } => length.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + "s",
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)length.TotalMinutes}m{length.Seconds}s"),
    };
}
