using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Responses;

/// <summary>
/// The Responses API of one platform (https://platform.openai.com/docs/api-reference/responses): answers whole, streamed and in the background, kept where they are to
/// be kept, with conversations, counting and compaction.
/// </summary>
internal sealed class ResponsesDesk(ResponsesHouse house)
{
    private const string Answers = "responses";
    private const string Conversations = "conversations";

    /// <summary>Background work takes this long at least, so that whoever polls sees it at work.</summary>
    private static readonly TimeSpan LeastWork = TimeSpan.FromMilliseconds(150);

    private static readonly TimeSpan QueueTime = TimeSpan.FromMilliseconds(50);

    private readonly ResponsesState _state = new();

    /// <summary>The steps of a path that is one of this API's, below the version; null for another.</summary>
    public static string[]? Steps(string path, string prefix) =>
        path.StartsWith(prefix + "/", StringComparison.Ordinal) && path[(prefix.Length + 1)..].Split('/') is [Answers or Conversations, ..] steps ? steps : null;

    /// <summary>Whether a path is of this API, at whatever platform.</summary>
    public static bool IsOne(string path) => path.Split('/').Any(static step => step is Answers or Conversations);

    /// <summary>An error within a stream. It is numbered like any event; how many came before it is known from the fault.</summary>
    public static StreamEvent ErrorEvent(VendorError error, Visit visit)
    {
        int number = visit.Fault is { Kind: not FaultKind.StreamErrorFirst } fault ? fault.AfterEvents : 0;
        JsonObject body = new()
        {
            ["type"] = "error",
            ["sequence_number"] = number,
            ["error"] = new JsonObject { ["type"] = error.Type, ["code"] = error.Code ?? error.Type, ["message"] = error.Message, ["param"] = error.Param },
        };
        return new StreamEvent(body.ToJsonString(RelaxedJson.Options), "error");
    }

    public Task AnswerAsync(Visit visit, string[] steps) => (visit.Http.Request.Method, steps) switch
    {
        ("POST", [Answers]) => CreateAsync(visit),
        ("POST", [Answers, "input_tokens"]) => CountAsync(visit),
        ("POST", [Answers, "compact"]) => CompactAsync(visit),
        ("GET", [Answers, var id]) => ReadAsync(visit, Find(id)),
        ("DELETE", [Answers, var id]) => DeleteAsync(visit, id),
        ("POST", [Answers, var id, "cancel"]) => CancelAsync(visit, Find(id)),
        ("GET", [Answers, var id, "input_items"]) => ConversationsEndpoint.SendPageAsync(visit, Find(id).Reply.Request.OwnItems),
        (_, [Conversations, ..]) => ConversationsEndpoint.AnswerAsync(visit, steps[1..], _state),
        (var method, _) => throw new VendorErrorException(new VendorError(404, "invalid_request_error", $"Invalid URL ({method} {visit.Path})")),
    };

    private async Task CreateAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        SandboxModel model = ReadModel(document.RootElement);
        ResponsesRequest request = new ResponsesRequestReader(house, _state).Read(document.RootElement, model, visit);
        CheckLength(request);
        house.CheckPolicy(request.Prompt);
        ResponsesReply reply = Compose(visit, request, model);
        List<StreamEvent> events = [.. new ResponsesStreamWriter(reply, visit.Dice).Events()];
        DateTimeOffset? endsAt = request.Background ? house.Services.Time.GetUtcNow() + LeastWork + visit.Pace.FirstToken + (visit.Pace.PerToken * reply.Answer.OutputTokens) : null;
        KeptAnswer kept = new(reply, events, endsAt) { IsBilled = !request.Background || request.Stream, Row = visit.Billing };
        Bill(visit, reply);
        if (request.Background)
        {
            _state.Keep(kept);
            await (request.Stream ? StreamInBackgroundAsync(visit, kept) : BeginAsync(visit, kept)).ConfigureAwait(false);
            return;
        }

        await (request.Stream
            ? AnswerPlayer.StreamAsync(visit, events, house.ErrorEvent(visit))
            : AnswerPlayer.WholeAsync(visit, reply.Describe(reply.Status), reply.Answer.Pieces)).ConfigureAwait(false);
        if (visit.EndedWell)
        {
            visit.Billing.Finish = reply.Status;
            Keep(kept);
        }
    }

    private Task BeginAsync(Visit visit, KeptAnswer kept)
    {
        visit.Billing.IsWorkedOn = true;
        kept.Clock = house.Services.Time.CreateTimer(_ => StatusOf(kept), null, kept.EndsAt!.Value - house.Services.Time.GetUtcNow(), Timeout.InfiniteTimeSpan);
        return AnswerPlayer.SendAsync(visit, 200, kept.Reply.Describe("queued"));
    }

    /// <summary>Whether or not somebody listens to the end, the work is done and billed.</summary>
    private async Task StreamInBackgroundAsync(Visit visit, KeptAnswer kept)
    {
        try
        {
            await AnswerPlayer.StreamAsync(visit, kept.Events, house.ErrorEvent(visit)).ConfigureAwait(false);
        }
        finally
        {
            visit.Billing.Outcome = "completed";
            visit.Billing.Finish = kept.Reply.Status;
            visit.Billing.Produce(kept.Reply.Answer.OutputTokens - visit.Billing.OutputTokens);
            Keep(kept);
        }
    }

    private void Keep(KeptAnswer kept)
    {
        ResponsesRequest request = kept.Reply.Request;
        if (request.Store)
        {
            _state.Keep(kept);
        }

        if (request.ConversationId is { } id && _state.FindConversation(id) is { } conversation)
        {
            lock (conversation.Turn)
            {
                conversation.Items.AddRange(request.OwnItems.Select(ConversationsEndpoint.WithId));
                conversation.Items.AddRange(kept.Reply.Items.Select(item => (item.Id, kept.Reply.Describe(item).ToJsonString(RelaxedJson.Options))));
            }
        }
    }

    private ResponsesReply Compose(Visit visit, ResponsesRequest request, SandboxModel model)
    {
        Answer answer = house.Services.Author.Write(request.Prompt, house.Style);
        Dice dice = visit.Dice;
        ResponsesReply reply = new(request, answer, house.Seal)
        {
            Id = "resp_" + dice.NextHex(48),
            CreatedAt = house.Services.Time.GetUtcNow().ToUnixTimeSeconds(),
            ServedModel = house.ServedName(model.Name),
            CachedTokens = house.UseCache(model.Name, request.InputText, request.InputTokens),
            OmitsUsage = visit.HasFault(FaultKind.MissingUsage),
            Items = ResponsesReply.ItemsOf(answer, ref dice),
        };
        visit.Dice = dice;
        visit.Pace = visit.Pace.For(answer.OutputTokens);
        house.WriteRate(visit, request.InputTokens + (request.Prompt.MaxTokens ?? answer.OutputTokens));
        return reply;
    }

    private static void Bill(Visit visit, ResponsesReply reply)
    {
        visit.Billing.CacheReadTokens = reply.CachedTokens;
        visit.Billing.InputTokens = reply.Request.InputTokens - reply.CachedTokens;
    }

    private async Task CountAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        SandboxModel model = ReadModel(document.RootElement);
        ResponsesRequest request = new ResponsesRequestReader(house, _state).Read(document.RootElement, model, visit, isCounted: true);
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["object"] = "response.input_tokens", ["input_tokens"] = request.InputTokens }).ConfigureAwait(false);
    }

    /// <summary>What the user said stays; all else becomes one item that only this platform can read.</summary>
    private async Task CompactAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        SandboxModel model = ReadModel(document.RootElement);
        ResponsesRequest request = new ResponsesRequestReader(house, _state).Read(document.RootElement, model, visit);
        CheckLength(request);
        List<string> all = [.. request.EarlierItems, .. request.OwnItems];
        JsonArray output = [];
        List<string> sealedTexts = [];
        foreach (JsonObject item in all.Select(static text => JsonNode.Parse(text)!.AsObject()))
        {
            if ((string?)item["role"] == "user")
            {
                output.Add((JsonNode)item);
            }
            else
            {
                sealedTexts.Add(string.Join('\n', item["content"]?.AsArray().Select(static part => (string?)part?["text"]) ?? [item.ToJsonString(RelaxedJson.Options)]));
            }
        }

        string sealedText = house.Seal.Seal(string.Join('\n', sealedTexts));
        output.Add((JsonNode)new JsonObject { ["id"] = ResponsesRequestReader.NewId(visit, "cmp_"), ["type"] = "compaction", ["encrypted_content"] = sealedText });
        long written = Tokens.Count(string.Join('\n', sealedTexts)) + 1;
        visit.Billing.InputTokens = request.InputTokens;
        visit.Billing.Produce(written);
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["id"] = ResponsesRequestReader.NewId(visit, "resp_"),
            ["object"] = "response.compaction",
            ["created_at"] = house.Services.Time.GetUtcNow().ToUnixTimeSeconds(),
            ["output"] = output,
            ["usage"] = new JsonObject
            {
                ["input_tokens"] = request.InputTokens,
                ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = 0 },
                ["output_tokens"] = written,
                ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
                ["total_tokens"] = request.InputTokens + written,
            },
        }).ConfigureAwait(false);
    }

    private async Task ReadAsync(Visit visit, KeptAnswer kept)
    {
        if (visit.Http.Request.Query["stream"].FirstOrDefault() != "true")
        {
            await AnswerPlayer.SendAsync(visit, 200, kept.Reply.Describe(StatusOf(kept))).ConfigureAwait(false);
            return;
        }

        if (kept.EndsAt is null)
        {
            throw ResponsesErrors.Refused("stream", null, "This response cannot be streamed because it was not created with background=true.");
        }

        int after = int.TryParse(visit.Http.Request.Query["starting_after"].FirstOrDefault(), out int number) ? number : -1;
        _ = StatusOf(kept);
        await AnswerPlayer.StreamAsync(visit, kept.Events.Skip(after + 1).Select(static next => next with { Tokens = 0 }), house.ErrorEvent(visit)).ConfigureAwait(false);
    }

    /// <summary>How it stands now. At its end the bill has the row of the request that began the work.</summary>
    private string StatusOf(KeptAnswer kept)
    {
        if (kept.EndsAt is not { } endsAt)
        {
            return kept.Reply.Status;
        }

        DateTimeOffset now = house.Services.Time.GetUtcNow();
        lock (kept.Turn)
        {
            if (kept.IsCancelled)
            {
                return "cancelled";
            }

            if (now < endsAt && !kept.IsBilled)
            {
                return now < endsAt - LeastWork + QueueTime ? "queued" : "in_progress";
            }

            if (!kept.IsBilled)
            {
                kept.IsBilled = true;
                kept.Row!.Finish = kept.Reply.Status;
                kept.Row.Produce(kept.Reply.Answer.OutputTokens);
                kept.Row.End();
                Keep(kept);
            }

            return kept.Reply.Status;
        }
    }

    private Task CancelAsync(Visit visit, KeptAnswer kept)
    {
        if (kept.EndsAt is null)
        {
            throw ResponsesErrors.Refused(null, null, "Cannot cancel a synchronous response.");
        }

        string status = StatusOf(kept);
        lock (kept.Turn)
        {
            if (status is "queued" or "in_progress")
            {
                kept.IsCancelled = true;
                kept.Row!.Outcome = "cancelled";
                kept.Row.End();
                status = "cancelled";
            }
        }

        return AnswerPlayer.SendAsync(visit, 200, kept.Reply.Describe(status));
    }

    private Task DeleteAsync(Visit visit, string id)
    {
        _ = Find(id);
        _state.ForgetAnswer(id);
        return AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["id"] = id, ["object"] = "response", ["deleted"] = true });
    }

    private KeptAnswer Find(string id) => _state.FindAnswer(id) ?? throw ResponsesErrors.AnswerNotFound(id);

    private static JsonDocument Body(Visit visit)
    {
        JsonDocument document = visit.ParseBody() ?? throw ChatErrors.Malformed();
        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }

        document.Dispose();
        throw ChatErrors.Malformed();
    }

    private SandboxModel ReadModel(JsonElement body)
    {
        string model = ChatFields.Text(body, "model", "model") ?? throw ChatErrors.Missing("model");
        return house.FindModel(model) ?? throw new VendorErrorException(house.UnknownModel(model));
    }

    private void CheckLength(ResponsesRequest request)
    {
        if (request.InputTokens > house.ContextTokens)
        {
            throw ResponsesErrors.Refused(
                "input", "context_length_exceeded", "Your input exceeds the context window of this model. Please adjust your input and try again.");
        }
    }
}
