using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Anthropic;

/// <summary>
/// Claude models as a platform serves them: Anthropic itself, and the clouds that host them under paths of their own. A signature that one of them gave is good at all.
/// </summary>
/// <param name="services">What all platforms share.</param>
/// <param name="platform">The platform's name.</param>
/// <param name="tellsRates">Answers carry Anthropic's own rate-limit headers.</param>
internal sealed class MessagesDesk(SandboxServices services, string platform, bool tellsRates)
{
    private const long ContextTokens = 200_000;

    private static readonly (string Name, string Dated, string Title, string Created)[] Catalog =
    [
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29T00:00:00Z"),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-15T00:00:00Z"),
        ("claude-opus-4-5", "claude-opus-4-5-20251101", "Claude Opus 4.5", "2025-11-24T00:00:00Z"),
    ];

    private static readonly AnswerStyle Style = new("toolu_01", 22, RefusesInText: false);

    private readonly MessagesCache _cache = new(services.Time);
    private readonly ThinkingSignature _signature = new("anthropic", services.Options.ReplaysRecordings);
    private readonly RateMeter _input = new(services.Time, 4_000, 2_000_000);
    private readonly RateMeter _output = new(services.Time, 4_000, 400_000);

    /// <summary>The models, in the order in which Anthropic lists them.</summary>
    public static IReadOnlyList<SandboxModel> Models { get; } =
    [
        .. Catalog.Select(static entry => new SandboxModel(
            entry.Name, Chat: true, Tools: true, JsonSchema: true, Images: true, Streaming: true, Thinking: true, Embeddings: false)),
    ];

    /// <summary>Answers <c>messages</c> as server-sent events or whole.</summary>
    public async Task AnswerAsync(Visit visit, ClaudePath path, StreamEvent error)
    {
        MessagesReply reply = Compose(visit, path);
        await (reply.Request.Stream
            ? AnswerPlayer.StreamAsync(visit, Events(visit, reply), error)
            : AnswerPlayer.WholeAsync(visit, MessagesWholeWriter.Write(reply), reply.Answer.Pieces)).ConfigureAwait(false);
        visit.Billing.Finish = visit.EndedWell ? reply.StopReason : null;
    }

    /// <summary>Checks the request, thinks of an answer and bills it.</summary>
    public MessagesReply Compose(Visit visit, ClaudePath path)
    {
        using JsonDocument document = visit.ParseBody() ?? throw MessagesErrors.Malformed();
        return Compose(visit, document.RootElement, path);
    }

    /// <summary>The same of a request that is part of a larger one.</summary>
    public MessagesReply Compose(Visit visit, JsonElement body, ClaudePath path)
    {
        (string name, string dated, _, _) = ReadModel(body, path);
        MessagesRequest request = MessagesRequestReader.Read(body, platform, name, _signature, countsOnly: false, path);
        CheckLength(request);
        Answer answer = services.Author.Write(request.Prompt, Style);
        Dice dice = visit.Dice;
        MessagesReply reply = new(request, answer, _cache.Use(name, request.Blocks), _signature)
        {
            Id = "msg_01" + dice.NextId(22),
            ServedModel = dated,
            OmitsUsage = visit.HasFault(FaultKind.MissingUsage),
        };
        visit.Dice = dice;
        visit.Billing.Stream = request.Stream;
        visit.Billing.CacheReadTokens = reply.Cache.Read;
        visit.Billing.CacheWriteTokens = reply.Cache.Written;
        visit.Billing.InputTokens = reply.FreshTokens;
        WriteRate(visit.Http.Response.Headers, request.InputTokens, answer.OutputTokens);
        visit.Pace = visit.Pace.For(answer.OutputTokens);
        return reply;
    }

    /// <summary>The events of a streamed answer.</summary>
    public static IEnumerable<StreamEvent> Events(Visit visit, MessagesReply reply) => new MessagesStreamWriter(reply, visit.Dice).Events();

    public async Task CountAsync(Visit visit, ClaudePath path)
    {
        using JsonDocument document = visit.ParseBody() ?? throw MessagesErrors.Malformed();
        (string name, _, _, _) = ReadModel(document.RootElement, path);
        MessagesRequest request = MessagesRequestReader.Read(document.RootElement, platform, name, _signature, countsOnly: true, path);
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["input_tokens"] = request.InputTokens }).ConfigureAwait(false);
    }

    public static async Task ListModelsAsync(Visit visit)
    {
        IQueryCollection query = visit.Http.Request.Query;
        int limit = int.TryParse(query["limit"].FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? Math.Clamp(asked, 1, 1000)
            : 20;
        string? after = query["after_id"].FirstOrDefault();
        int start = after is null ? 0 : Array.FindIndex(Catalog, entry => entry.Name == after) + 1;
        (string Name, string Dated, string Title, string Created)[] page = [.. Catalog.Skip(start).Take(limit)];
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["data"] = new JsonArray([.. page.Select(Describe)]),
            ["has_more"] = start + page.Length < Catalog.Length,
            ["first_id"] = page.Length > 0 ? page[0].Name : null,
            ["last_id"] = page.Length > 0 ? page[^1].Name : null,
        }).ConfigureAwait(false);
    }

    public static Task ShowModelAsync(Visit visit, string name) => AnswerPlayer.SendAsync(visit, 200, Describe(FindModel(name)));

    private static JsonNode Describe((string Name, string Dated, string Title, string Created) entry) => new JsonObject
    {
        ["type"] = "model",
        ["id"] = entry.Name,
        ["display_name"] = entry.Title,
        ["created_at"] = entry.Created,
    };

    public void WriteRate(IHeaderDictionary headers, long inputTokens, long outputTokens)
    {
        if (!tellsRates)
        {
            return;
        }

        RateReading input = _input.Count(inputTokens);
        RateReading output = _output.Count(outputTokens);
        Write(headers, "requests", input.RequestLimit, input.RequestsLeft, input.Now + input.RequestsReset);
        Write(headers, "input-tokens", input.TokenLimit, input.TokensLeft, input.Now + input.TokensReset);
        Write(headers, "output-tokens", output.TokenLimit, output.TokensLeft, output.Now + output.TokensReset);
        Write(headers, "tokens", input.TokenLimit + output.TokenLimit, input.TokensLeft + output.TokensLeft, input.Now + input.TokensReset);
    }

    private static void Write(IHeaderDictionary headers, string what, long limit, long left, DateTimeOffset reset)
    {
        string prefix = "anthropic-ratelimit-" + what;
        headers[prefix + "-limit"] = limit.ToString(CultureInfo.InvariantCulture);
        headers[prefix + "-remaining"] = left.ToString(CultureInfo.InvariantCulture);
        headers[prefix + "-reset"] = reset.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    private static (string Name, string Dated, string Title, string Created) ReadModel(JsonElement body, ClaudePath path) =>
        body.ValueKind == JsonValueKind.Object
            ? FindModel(path.Model ?? (path.TakesModel
                ? MessagesFields.RequiredText(body, "model", "model").Replace('@', '-') // as Vertex AI writes its dates
                : MessagesFields.RequiredText(body, "model", "model")))
            : throw MessagesErrors.Malformed();

    private static void CheckLength(MessagesRequest request)
    {
        if (request.InputTokens > ContextTokens)
        {
            throw MessagesErrors.Invalid($"prompt is too long: {request.InputTokens} tokens > {ContextTokens} maximum");
        }
    }

    private static (string Name, string Dated, string Title, string Created) FindModel(string name)
    {
        foreach ((string Name, string Dated, string Title, string Created) entry in Catalog)
        {
            if (entry.Name == name || entry.Dated == name)
            {
                return entry;
            }
        }

        throw new VendorErrorException(new VendorError(404, "not_found_error", "model: " + name));
    }
}
