using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Google;

/// <summary>Google's own models, as both of its platforms serve them.</summary>
/// <param name="services">What all platforms share.</param>
/// <param name="platform">The platform's name.</param>
internal sealed class GeminiDesk(SandboxServices services, string platform)
{
    private readonly AnswerStyle _style = new("", 8, RefusesInText: false);
    private readonly ThoughtSignature _signature = new(services.Options.ReplaysRecordings);
    private readonly PrefixCache _prefixes = new();

    private bool IsVertex => platform == "vertex";

    public bool IsLenient => _signature.AcceptsRecorded;

    /// <summary>A stream that is not asked for as events is one array.</summary>
    public static StreamFraming FramingOf(Visit visit) => visit.Http.Request.Query["alt"] == "sse" ? StreamFraming.Events : GeminiArrayFraming.Instance;

    public async Task GenerateAsync(Visit visit, GeminiModel model, bool streams, StreamEvent error)
    {
        using JsonDocument document = visit.ParseBody() ?? throw GoogleErrors.Malformed();
        GeminiRequest request = GeminiRequest.Read(document.RootElement, platform, model, _signature);
        if (request.InputTokens > GeminiModel.InputTokensMax)
        {
            throw GoogleErrors.Invalid($"The input token count ({request.InputTokens}) exceeds the maximum number of tokens allowed ({GeminiModel.InputTokensMax}).");
        }

        GeminiReply reply = Compose(visit, request);
        visit.Billing.Stream = streams;
        visit.Billing.CacheReadTokens = reply.CachedTokens;
        visit.Billing.InputTokens = request.InputTokens - reply.CachedTokens;
        visit.Pace = visit.Pace.For(reply.Answer.OutputTokens);
        await (streams
            ? AnswerPlayer.StreamAsync(visit, new GeminiWriter(reply, visit.Dice).Events(), error)
            : AnswerPlayer.WholeAsync(visit, GeminiWriter.Whole(reply), reply.IsBlocked ? [] : reply.Answer.Pieces)).ConfigureAwait(false);
        visit.Billing.Finish = visit.EndedWell ? reply.IsBlocked ? "PROHIBITED_CONTENT" : reply.FinishReason : null;
    }

    public async Task CountAsync(Visit visit, GeminiModel model)
    {
        using JsonDocument document = visit.ParseBody() ?? throw GoogleErrors.Malformed();
        GeminiObject asked = GeminiObject.Open(
            document.RootElement, "", IsLenient, "contents", "generateContentRequest", "model", "systemInstruction", "tools", "generationConfig", "instances");
        JsonElement body = asked.Struct("generateContentRequest") ?? document.RootElement;
        if (IsVertex && asked.Has("generateContentRequest"))
        {
            throw GoogleErrors.UnknownField("generateContentRequest", "");
        }

        if (!IsVertex && !asked.Has("generateContentRequest") && (asked.Has("systemInstruction") || asked.Has("tools") || asked.Has("generationConfig")))
        {
            throw GoogleErrors.UnknownField(asked.Has("tools") ? "tools" : asked.Has("systemInstruction") ? "systemInstruction" : "generationConfig", "");
        }

        GeminiRequest request = GeminiRequest.Read(body, platform, model, _signature);
        JsonObject answer = new()
        {
            ["totalTokens"] = request.InputTokens,
            ["promptTokensDetails"] = new JsonArray(new JsonObject { ["modality"] = "TEXT", ["tokenCount"] = request.InputTokens }),
        };
        if (IsVertex)
        {
            answer["totalBillableCharacters"] = request.InputText.Count(static letter => !char.IsWhiteSpace(letter));
        }

        await AnswerPlayer.SendAsync(visit, 200, answer).ConfigureAwait(false);
    }

    private GeminiReply Compose(Visit visit, GeminiRequest request)
    {
        Answer answer = services.Author.Write(request.Prompt, _style);
        Dice dice = visit.Dice;
        string id = dice.NextId(22);
        visit.Dice = dice;
        return new GeminiReply(request, answer, _signature)
        {
            Id = id,
            CachedTokens = _prefixes.Use(request.Model.Name, request.InputText, request.InputTokens),
            OmitsUsage = visit.HasFault(FaultKind.MissingUsage),
            IsVertex = IsVertex,
            CreatedAt = services.Time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        };
    }
}
