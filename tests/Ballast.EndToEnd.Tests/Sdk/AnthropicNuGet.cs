using System.Net;
using System.Text;
using System.Text.Json;
using Anthropic;
using Anthropic.Bedrock;
using Anthropic.Exceptions;
using Anthropic.Foundry;
using Anthropic.Models.Messages;
using Anthropic.Vertex;
using Google.Apis.Auth.OAuth2;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>What NuGet <c>Anthropic</c> is made to do, with its own client or with those of <c>Anthropic.Bedrock</c>, <c>.Vertex</c> and <c>.Foundry</c>.</summary>
internal static class AnthropicNuGet
{
    public static readonly IReadOnlyDictionary<string, Func<SdkTarget, Task>> Cases = new Dictionary<string, Func<SdkTarget, Task>>
    {
        ["text"] = TextAsync,
        ["stream"] = StreamAsync,
        ["tools"] = target => ToolsAsync(target, isThinking: false),
        ["thinking_tools"] = target => ToolsAsync(target, isThinking: true),
        ["parallel_tools"] = ParallelToolsAsync,
        ["structured"] = StructuredAsync,
        ["image"] = ImageAsync,
        ["pdf"] = PdfAsync,
        ["thinking"] = ThinkingAsync,
        ["max_tokens"] = MaxTokensAsync,
        ["count_tokens"] = CountTokensAsync,
        ["unknown_model"] = UnknownModelAsync,
        ["wrong_key"] = WrongKeyAsync,
        ["wrong_types"] = WrongTypesAsync,
        ["abort"] = static async target =>
        {
            Assert.Null(await target.IsCancelled!(await AbortAsync(target)));
            await FreePlace.AssertAsync(target, TextAsync);
        },
        ["error_kinds"] = ErrorKindsAsync,
    };

    private static readonly ThinkingConfigParam Thinking = new ThinkingConfigEnabled(1024);

    public static AnthropicClient ClientOf(SdkTarget target, string? key = null, HttpClient? http = null)
    {
        string at = target.Url.GetLeftPart(UriPartial.Authority);
        string sent = key ?? target.Key;
        http ??= new HttpClient();
        return target.Cloud switch
        {
            SdkCloud.Bedrock => new AnthropicBedrockClient(target.Aws is { } aws
                ? new AnthropicBedrockPrivateKeyCredentials { Region = "eu-west-1", ApiAccessKey = aws.Id, ApiSecret = key ?? aws.Secret }
                : new AnthropicBedrockApiTokenCredentials { Region = "eu-west-1", BearerToken = sent }) { BaseUrl = at, MaxRetries = 0, HttpClient = http },
            SdkCloud.Vertex => new AnthropicVertexClient(new AnthropicVertexCredentials("europe-west1", "sandbox-project", GoogleCredential.FromAccessToken(sent)))
            {
                BaseUrl = at,
                MaxRetries = 0,
                HttpClient = http,
            },
            SdkCloud.Foundry => new AnthropicFoundryClient(new AnthropicFoundryApiKeyCredentials(sent, "sandbox")) { BaseUrl = at + "/anthropic", MaxRetries = 0, HttpClient = http },
            _ => new AnthropicClient { ApiKey = sent, AuthToken = null, BaseUrl = at, MaxRetries = 0, HttpClient = http },
        };
    }

    /// <summary>Begins a long answer, hangs up after its third piece and returns the request's id.</summary>
    public static async Task<string> AbortAsync(SdkTarget target)
    {
        using WatchedHandler watched = new();
        using HttpClient http = new(watched);
        using AnthropicClient client = ClientOf(target.Slow, http: http);
        using CancellationTokenSource hangUp = new();
        int pieces = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (RawMessageStreamEvent next in client.Messages.CreateStreaming(Ask(target, Samples.LongPrompt, 4000), hangUp.Token))
            {
                if (next.TryPickContentBlockDelta(out _) && ++pieces == 3)
                {
                    await hangUp.CancelAsync();
                }
            }
        });
        Assert.InRange(pieces, 3, 4);
        return watched.Id;
    }

    private static ToolUnion Tool => new(Samples.Json(
        $$"""{"name":"{{Samples.ToolName}}","description":"{{Samples.ToolDescription}}","input_schema":{{Samples.ToolSchema}}}"""));

    private static MessageCreateParams Ask(SdkTarget target, string prompt, long maxTokens = 500) =>
        Ask(target, [new UserMessageParam(prompt)], maxTokens);

    private static MessageCreateParams Ask(SdkTarget target, IReadOnlyList<MessageParam> messages, long maxTokens = 500) =>
        new() { Model = target.Model, MaxTokens = maxTokens, Messages = messages };

    private static string TextOf(Message message) =>
        string.Concat(message.Content.Select(block => block.TryPickText(out TextBlock? text) ? text.Text : ""));

    // What an application does that keeps the conversation: the answer's blocks go back as they came.
    private static AssistantMessageParam Echo(Message answer) => new(new MessageContentParam(JsonSerializer.SerializeToElement(answer.Content)));

    private static UserMessageParam Results(params (string Id, string Text)[] results) => new(new MessageContentParam(Samples.Json(
        "[" + string.Join(",", results.Select(result => $$"""{"type":"tool_result","tool_use_id":"{{result.Id}}","content":"{{result.Text}}"}""")) + "]")));

    private static async Task TextAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        Message answer = await client.Messages.Create(Ask(target, Samples.ExactPrompt) with { System = "You are terse." });
        Assert.Equal(Samples.ExactText, TextOf(answer));
        Assert.Equal(StopReason.EndTurn, answer.StopReason?.Value());
        Assert.True(answer.Usage.InputTokens > 5 && answer.Usage.OutputTokens > 2);
    }

    private static async Task StreamAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        StringBuilder text = new();
        int stops = 0;
        long output = 0;
        await foreach (RawMessageStreamEvent next in client.Messages.CreateStreaming(Ask(target, Samples.CountPrompt)))
        {
            if (next.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? part) && part.Delta.TryPickText(out TextDelta? delta))
            {
                text.Append(delta.Text);
            }

            output = next.TryPickDelta(out RawMessageDeltaEvent? ending) ? ending.Usage.OutputTokens : output;
            stops += next.TryPickStop(out _) ? 1 : 0;
        }

        Assert.Equal(Samples.Counted, text.ToString());
        Assert.Equal(1, stops);
        Assert.True(output > 20);
    }

    private static async Task ToolsAsync(SdkTarget target, bool isThinking)
    {
        using AnthropicClient client = ClientOf(target);
        MessageCreateParams ask = Ask(target, Samples.WeatherPrompt, 3000) with { Tools = [Tool], Thinking = isThinking ? Thinking : null };
        Message first = await client.Messages.Create(ask);
        Assert.Equal(StopReason.ToolUse, first.StopReason?.Value());
        if (isThinking && target.Vendor == "anthropic")
        {
            Assert.True(first.Content[0].TryPickThinking(out ThinkingBlock? thought) && thought.Signature.Length > 10);
        }

        ToolUseBlock call = Assert.Single(Calls(first));
        Samples.CheckWeather(JsonSerializer.SerializeToElement(call.Input), "Paris");
        Message second = await client.Messages.Create(
            ask with { Messages = [.. ask.Messages, Echo(first), Results((call.ID, "Sunny at 21 degrees"))] });
        Assert.Contains("Sunny at 21 degrees", TextOf(second), StringComparison.Ordinal);
    }

    private static List<ToolUseBlock> Calls(Message message) =>
        [.. message.Content.Select(block => block.TryPickToolUse(out ToolUseBlock? call) ? call : null).OfType<ToolUseBlock>()];

    private static async Task ParallelToolsAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        SortedDictionary<long, (string Id, StringBuilder Arguments)> calls = [];
        MessageCreateParams ask = Ask(target, Samples.TwoCitiesPrompt) with { Tools = [Tool], ToolChoice = new ToolChoiceAny() };
        await foreach (RawMessageStreamEvent next in client.Messages.CreateStreaming(ask))
        {
            if (next.TryPickContentBlockStart(out RawContentBlockStartEvent? start) && start.ContentBlock.TryPickToolUse(out ToolUseBlock? call))
            {
                calls.Add(start.Index, (call.ID, new StringBuilder()));
            }
            else if (next.TryPickContentBlockDelta(out RawContentBlockDeltaEvent? part) && part.Delta.TryPickInputJson(out InputJsonDelta? json))
            {
                calls[part.Index].Arguments.Append(json.PartialJson);
            }
        }

        Assert.Equal(2, calls.Count);
        Assert.Equal(2, calls.Values.Select(call => call.Id).Distinct().Count());
        Samples.CheckWeather(calls.Values.First().Arguments.ToString(), "Paris");
        Samples.CheckWeather(calls.Values.Last().Arguments.ToString(), "London");
    }

    private static async Task StructuredAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        MessageCreateParams ask = Ask(target, "Describe a sailing ship.") with
        {
            OutputConfig = new OutputConfig
            {
                Format = new JsonOutputFormat { Schema = Samples.Json(Samples.ShipSchema).EnumerateObject().ToDictionary(part => part.Name, part => part.Value) },
            },
        };
        Message answer = await client.Messages.Create(ask);
        Samples.CheckShip(TextOf(answer));
        Assert.Empty(Calls(answer));
    }

    private static async Task ImageAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        UserMessageParam picture = new(new List<ContentBlockParam>
        {
            new ImageBlockParam(new Base64ImageSource { Data = Convert.ToBase64String(Samples.Png), MediaType = MediaType.ImagePng }),
            new TextBlockParam("What is in this picture?"),
        });
        Message answer = await client.Messages.Create(Ask(target, [picture]));
        Assert.Contains("7x5 png", TextOf(answer), StringComparison.Ordinal);
    }

    private static Task PdfAsync(SdkTarget target) => DocumentCheck.RunAsync(
        target,
        async http =>
        {
            using AnthropicClient client = ClientOf(target, http: http);
            UserMessageParam document = new(new MessageContentParam(Samples.Json(
                $$$"""[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"{{{Convert.ToBase64String(Samples.Pdf)}}}"}},{"type":"text","text":"{{{DocumentCheck.Prompt}}}"}]""")));
            return TextOf(await client.Messages.Create(Ask(target, [document])));
        },
        "/messages/0/content/0");

    private static async Task ThinkingAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        MessageCreateParams ask = Ask(target, "Why do ships carry ballast?", 3000) with { Thinking = Thinking };
        Message first = await client.Messages.Create(ask);
        Message second = await client.Messages.Create(ask with { Messages = [.. ask.Messages, Echo(first), new UserMessageParam("And why water?")] });
        Assert.Equal(StopReason.EndTurn, second.StopReason?.Value());
        Assert.True(TextOf(second).Length > 10);
    }

    private static async Task MaxTokensAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        Message answer = await client.Messages.Create(Ask(target, Samples.CountPrompt, 9));
        Assert.Equal(StopReason.MaxTokens, answer.StopReason?.Value());
        Assert.InRange(answer.Usage.OutputTokens, 1, 9);
    }

    private static async Task CountTokensAsync(SdkTarget target)
    {
        using AnthropicClient client = ClientOf(target);
        MessageTokensCount count = await client.Messages.CountTokens(
            new MessageCountTokensParams { Model = target.Model, Messages = [new UserMessageParam("How many tokens are these?")] });
        Assert.InRange(count.InputTokens, 5, 60);
    }

    // AWS calls a model that it does not have a wrong request.
    private static Task UnknownModelAsync(SdkTarget target) => target is { Cloud: SdkCloud.Bedrock, IsGateway: false }
        ? RefusedAsync<AnthropicBadRequestException>(target, Ask(target, "Hello") with { Model = target.UnknownModel }, HttpStatusCode.BadRequest)
        : RefusedAsync<AnthropicNotFoundException>(target, Ask(target, "Hello") with { Model = target.UnknownModel }, HttpStatusCode.NotFound);

    private static Task WrongKeyAsync(SdkTarget target) => target.Cloud == SdkCloud.Bedrock
        ? RefusedAsync<AnthropicForbiddenException>(target, Ask(target, "Hello"), HttpStatusCode.Forbidden, Samples.WrongKey)
        : RefusedAsync<AnthropicUnauthorizedException>(target, Ask(target, "Hello"), HttpStatusCode.Unauthorized, Samples.WrongKey);

    private static Task WrongTypesAsync(SdkTarget target) => RefusedAsync<AnthropicBadRequestException>(target, BreakProtocol(target), HttpStatusCode.BadRequest);

    /// <summary>A message whose content is a number.</summary>
    public static MessageCreateParams BreakProtocol(SdkTarget target) => Ask(target, [new UserMessageParam(new MessageContentParam(Samples.Json("7")))]);

    // AWS has other statuses than Anthropic for two of them, and the client does not look where AWS puts the id.
    private static Task ErrorKindsAsync(SdkTarget target) => ErrorKinds.CheckAsync(target, new ErrorProbe
    {
        AskAsync = static async (at, prompt) =>
        {
            using AnthropicClient client = ClientOf(at);
            await client.Messages.Create(Ask(at, prompt));
        },
        AskWronglyAsync = static async at =>
        {
            using AnthropicClient client = ClientOf(at);
            await client.Messages.Create(BreakProtocol(at));
        },
        StreamAsync = static async (at, prompt) =>
        {
            using AnthropicClient client = ClientOf(at);
            await foreach (RawMessageStreamEvent next in client.Messages.CreateStreaming(Ask(at, prompt)))
            {
                _ = next;
            }
        },
        Look = static error => error is AnthropicApiException told ? ((int)told.StatusCode, told.RequestID, null) : (0, null, null),
        ClassOf = static status => status switch
        {
            0 => typeof(AnthropicException),
            400 => typeof(AnthropicBadRequestException),
            401 => typeof(AnthropicUnauthorizedException),
            403 => typeof(AnthropicForbiddenException),
            404 => typeof(AnthropicNotFoundException),
            429 => typeof(AnthropicRateLimitException),
            >= 500 => typeof(Anthropic5xxException),
            _ => typeof(AnthropicApiException),
        },
        Statuses = target.Cloud == SdkCloud.Bedrock ? new Dictionary<string, int[]> { ["key"] = [403], ["unknown"] = [target.IsGateway ? 404 : 400] } : new Dictionary<string, int[]>(),
        ShowsId = target.Cloud != SdkCloud.Bedrock,
        ShowsWait = false,
    });

    private static async Task RefusedAsync<T>(SdkTarget target, MessageCreateParams ask, HttpStatusCode status, string? key = null)
        where T : AnthropicApiException
    {
        using AnthropicClient client = ClientOf(target, key);
        T refusal = await Assert.ThrowsAsync<T>(() => client.Messages.Create(ask));
        Assert.Equal(status, refusal.StatusCode);
        // The SDK does not look where AWS puts it.
        Assert.True(target.Cloud == SdkCloud.Bedrock || refusal.RequestID?.Length > 5, $"The request id is '{refusal.RequestID}'.");
    }
}
