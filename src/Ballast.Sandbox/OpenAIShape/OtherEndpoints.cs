using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>What api.openai.com does beside chat and embeddings: moderations, images, speech, transcriptions, legacy completions.</summary>
internal static class OtherEndpoints
{
    public const string ImageModel = "gpt-image-1-mini";
    public const string SpeechModel = "gpt-4o-mini-tts";
    public const string TranscriptionModel = "gpt-4o-mini-transcribe";
    public const string ModerationModel = "omni-moderation-latest";
    public const string CompletionModel = "gpt-3.5-turbo-instruct";

    /// <summary>A picture of one transparent point.</summary>
    private const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

    private static readonly string[] s_words = [" and", " so", " on"];

    private const int SoundBlocks = 8;
    private const int SoundBlockBytes = 4096;

    /// <summary>Answers the path, or gives null where it is none of these.</summary>
    public static Task? Answer(Visit visit) => (visit.Http.Request.Method, visit.Path) switch
    {
        ("POST", "/v1/moderations") => ModerateAsync(visit),
        ("POST", "/v1/images/generations") => DrawAsync(visit),
        ("POST", "/v1/images/edits") => EditAsync(visit),
        ("POST", "/v1/audio/speech") => SpeakAsync(visit),
        ("POST", "/v1/audio/transcriptions") => TranscribeAsync(visit),
        ("POST", "/v1/completions") => CompleteAsync(visit),
        _ => null,
    };

    private static async Task ModerateAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        string model = ChatFields.Text(document.RootElement, "model", "model") ?? ModerationModel;
        Expect(model, ModerationModel);
        string input = (ChatFields.Find(document.RootElement, "input") ?? throw ChatErrors.Missing("input")).GetRawText();
        bool isFlagged = input.Contains("kill", StringComparison.OrdinalIgnoreCase);
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["id"] = "modr-" + visit.RequestId,
            ["model"] = model,
            ["results"] = new JsonArray(new JsonObject
            {
                ["flagged"] = isFlagged,
                ["categories"] = new JsonObject { ["violence"] = isFlagged },
                ["category_scores"] = new JsonObject { ["violence"] = isFlagged ? 0.97 : 0.00012 },
            }),
        }).ConfigureAwait(false);
    }

    private static async Task DrawAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        Expect(ChatFields.Text(document.RootElement, "model", "model"), ImageModel);
        string prompt = ChatFields.Text(document.RootElement, "prompt", "prompt") ?? throw ChatErrors.Missing("prompt");
        await AnswerPlayer.SendAsync(visit, 200, Picture(visit, prompt)).ConfigureAwait(false);
    }

    private static async Task EditAsync(Visit visit)
    {
        Dictionary<string, FormPart> form = await FormPart.ReadAllAsync(visit).ConfigureAwait(false);
        Expect(Text(form, "model"), ImageModel);
        if (form.GetValueOrDefault("image") is not { Content.Length: > 0 })
        {
            throw ChatErrors.Missing("image");
        }

        await AnswerPlayer.SendAsync(visit, 200, Picture(visit, Text(form, "prompt") ?? throw ChatErrors.Missing("prompt"))).ConfigureAwait(false);
    }

    private static JsonObject Picture(Visit visit, string prompt)
    {
        int tokens = Tokens.Count(prompt);
        visit.Billing.InputTokens = tokens;
        visit.Billing.Produce(272);
        return new JsonObject
        {
            ["created"] = visit.Time.GetUtcNow().ToUnixTimeSeconds(),
            ["data"] = new JsonArray(new JsonObject { ["b64_json"] = Png }),
            ["usage"] = new JsonObject { ["input_tokens"] = tokens, ["output_tokens"] = 272, ["total_tokens"] = tokens + 272 },
        };
    }

    /// <summary>Sound, in blocks: the first one is there before the last one is made.</summary>
    private static async Task SpeakAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        Expect(ChatFields.Text(document.RootElement, "model", "model"), SpeechModel);
        _ = ChatFields.Text(document.RootElement, "input", "input") ?? throw ChatErrors.Missing("input");
        _ = ChatFields.Find(document.RootElement, "voice") ?? throw ChatErrors.Missing("voice");
        visit.Billing.Status = 200;
        visit.Http.Response.ContentType = "audio/mpeg";
        for (byte block = 0; block < SoundBlocks; block++)
        {
            if (visit.IsGone || (visit.HasFault(FaultKind.Cut) && block == SoundBlocks / 2))
            {
                await visit.ResetAsync().ConfigureAwait(false);
                return;
            }

            byte[] sound = new byte[SoundBlockBytes];
            Array.Fill(sound, block);
            await visit.Http.Response.Body.WriteAsync(sound, visit.Http.RequestAborted).ConfigureAwait(false);
            await visit.Http.Response.Body.FlushAsync(visit.Http.RequestAborted).ConfigureAwait(false);
            await visit.PauseAsync(visit.Pace.PerToken * 4).ConfigureAwait(false);
        }
    }

    private static async Task TranscribeAsync(Visit visit)
    {
        Dictionary<string, FormPart> form = await FormPart.ReadAllAsync(visit).ConfigureAwait(false);
        Expect(Text(form, "model"), TranscriptionModel);
        if (form.GetValueOrDefault("file")?.Content is not { Length: > 0 } file)
        {
            throw ChatErrors.Missing("file");
        }

        visit.Billing.InputTokens = file.Length;
        visit.Billing.Produce(5);
        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["text"] = $"{file.Length} bytes of sound.",
            ["usage"] = new JsonObject { ["type"] = "tokens", ["input_tokens"] = file.Length, ["output_tokens"] = 5, ["total_tokens"] = file.Length + 5 },
        }).ConfigureAwait(false);
    }

    private static async Task CompleteAsync(Visit visit)
    {
        using JsonDocument document = Body(visit);
        Expect(ChatFields.Text(document.RootElement, "model", "model"), CompletionModel);
        string prompt = ChatFields.Text(document.RootElement, "prompt", "prompt") ?? throw ChatErrors.Missing("prompt");
        visit.Billing.InputTokens = Tokens.Count(prompt);
        if (!visit.Billing.Stream)
        {
            visit.Billing.Produce(3);
            JsonObject whole = Completion(visit, " and so on", "stop");
            whole["usage"] = Usage(visit);
            await AnswerPlayer.SendAsync(visit, 200, whole).ConfigureAwait(false);
            return;
        }

        List<StreamEvent> events = [.. s_words.Select(word => Event(Completion(visit, word, null)) with { Tokens = 1 })];
        JsonObject last = Completion(visit, "", "stop");
        last["usage"] = new JsonObject { ["prompt_tokens"] = visit.Billing.InputTokens, ["completion_tokens"] = 3, ["total_tokens"] = visit.Billing.InputTokens + 3 };
        events.Add(Event(last));
        events.Add(new StreamEvent("[DONE]") { IsEnding = true });
        await AnswerPlayer.StreamAsync(visit, events, new StreamEvent("""{"error":{"message":"The server had an error.","type":"server_error"}}""")).ConfigureAwait(false);
    }

    private static StreamEvent Event(JsonObject data) => new(data.ToJsonString(RelaxedJson.Options));

    private static JsonObject Completion(Visit visit, string text, string? finish) => new()
    {
        ["id"] = "cmpl-" + visit.RequestId,
        ["object"] = "text_completion",
        ["created"] = visit.Time.GetUtcNow().ToUnixTimeSeconds(),
        ["model"] = CompletionModel,
        ["choices"] = new JsonArray(new JsonObject { ["text"] = text, ["index"] = 0, ["logprobs"] = null, ["finish_reason"] = finish }),
    };

    private static JsonObject Usage(Visit visit) => new()
    {
        ["prompt_tokens"] = visit.Billing.InputTokens,
        ["completion_tokens"] = visit.Billing.OutputTokens,
        ["total_tokens"] = visit.Billing.InputTokens + visit.Billing.OutputTokens,
    };

    private static JsonDocument Body(Visit visit)
    {
        JsonDocument document = visit.ParseBody() ?? throw ChatErrors.Malformed();
        return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw ChatErrors.Malformed();
    }

    private static void Expect(string? model, string known)
    {
        if (model != known)
        {
            throw new VendorErrorException(new VendorError(404, "invalid_request_error", $"The model `{model}` does not exist or you do not have access to it.", "model_not_found"));
        }
    }

    private static string? Text(Dictionary<string, FormPart> form, string name) => form.GetValueOrDefault(name)?.Text;
}
