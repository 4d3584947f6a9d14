using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI;
using OpenAI.Chat;

#pragma warning disable OPENAI001 // this SDK calls reasoning and files experimental

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>What NuGet <c>OpenAI</c> is made to do.</summary>
internal static class OpenAINuGet
{
    public static readonly IReadOnlyDictionary<string, Func<SdkTarget, Task>> Cases = new Dictionary<string, Func<SdkTarget, Task>>
    {
        ["text"] = TextAsync,
        ["stream"] = StreamAsync,
        ["tools"] = ToolsAsync,
        ["parallel_tools"] = ParallelToolsAsync,
        ["structured"] = StructuredAsync,
        ["image"] = ImageAsync,
        ["pdf"] = PdfAsync,
        ["thinking"] = ThinkingAsync,
        ["thinking_tools"] = ThinkingToolsAsync,
        ["max_tokens"] = MaxTokensAsync,
        ["unknown_model"] = UnknownModelAsync,
        ["wrong_key"] = WrongKeyAsync,
        ["wrong_types"] = target => RefusedBodyAsync(target, """{"model":"MODEL","messages":"Hello"}"""),
        ["malformed"] = target => RefusedBodyAsync(target, """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}"""),
        ["abort"] = static async target =>
        {
            Assert.Null(await target.IsCancelled!(await AbortAsync(target)));
            await FreePlace.AssertAsync(target, TextAsync);
        },
        ["error_kinds"] = ErrorKindsAsync,
    };

    public static ChatClient ClientOf(SdkTarget target, string? model = null, string? key = null, HttpClient? http = null)
    {
        OpenAIClientOptions options = Options(target.Url, target);
        if (http is not null)
        {
            options.Transport = new HttpClientPipelineTransport(http);
        }

        return new ChatClient(model ?? target.Model, new ApiKeyCredential(key ?? target.Key), options);
    }

    /// <summary>Begins a long answer, hangs up after its third piece and returns the request's id.</summary>
    public static async Task<string> AbortAsync(SdkTarget target)
    {
        using WatchedHandler watched = new();
        using HttpClient http = new(watched);
        using CancellationTokenSource hangUp = new();
        ChatClient client = ClientOf(target.Slow, http: http);
        int pieces = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (StreamingChatCompletionUpdate update in
                client.CompleteChatStreamingAsync([new UserChatMessage(Samples.LongPrompt)], cancellationToken: hangUp.Token))
            {
                if (update.ContentUpdate.Count > 0 && ++pieces == 3)
                {
                    await hangUp.CancelAsync();
                }
            }
        });
        Assert.InRange(pieces, 3, 4);
        return watched.Id;
    }

    private static OpenAIClientOptions Options(Uri url, SdkTarget target) =>
        new() { Endpoint = new Uri(url, target.Prefix), RetryPolicy = new ClientRetryPolicy(0) };

    private static ChatTool Tool => ChatTool.CreateFunctionTool(
        Samples.ToolName, Samples.ToolDescription, BinaryData.FromString(Samples.ToolSchema), functionSchemaIsStrict: true);

    private static async Task TextAsync(SdkTarget target)
    {
        ClientResult<ChatCompletion> result = await ClientOf(target).CompleteChatAsync(
            [new SystemChatMessage("You are terse."), new UserChatMessage(Samples.ExactPrompt)]);
        ChatCompletion answer = result.Value;
        Assert.Equal(Samples.ExactText, Assert.Single(answer.Content).Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.True(answer.Usage.InputTokenCount > 5 && answer.Usage.OutputTokenCount > 2);
        Assert.Equal(answer.Usage.TotalTokenCount, answer.Usage.InputTokenCount + answer.Usage.OutputTokenCount);
        Assert.True(result.GetRawResponse().Headers.TryGetValue("x-request-id", out string? id) && id!.Length > 5);
    }

    private static async Task StreamAsync(SdkTarget target)
    {
        StringBuilder text = new();
        List<ChatFinishReason> finishes = [];
        ChatTokenUsage? usage = null;
        await foreach (StreamingChatCompletionUpdate update in ClientOf(target).CompleteChatStreamingAsync([new UserChatMessage(Samples.CountPrompt)]))
        {
            text.AppendJoin("", update.ContentUpdate.Select(part => part.Text));
            finishes.AddRange(update.FinishReason is { } finish ? [finish] : []);
            usage = update.Usage ?? usage;
        }

        Assert.Equal(Samples.Counted, text.ToString());
        Assert.Equal([ChatFinishReason.Stop], finishes);
        Assert.True(usage?.OutputTokenCount > 20);
    }

    private static async Task ToolsAsync(SdkTarget target)
    {
        ChatClient client = ClientOf(target);
        List<ChatMessage> messages = [new UserChatMessage(Samples.WeatherPrompt)];
        ChatCompletionOptions options = new() { Tools = { Tool } };
        ChatCompletion first = await client.CompleteChatAsync(messages, options);
        Assert.Equal(ChatFinishReason.ToolCalls, first.FinishReason);
        ChatToolCall call = Assert.Single(first.ToolCalls);
        Samples.CheckWeather(call.FunctionArguments.ToString(), "Paris");
        messages.AddRange([new AssistantChatMessage(first), new ToolChatMessage(call.Id, "Sunny at 21 degrees")]);
        ChatCompletion second = await client.CompleteChatAsync(messages, options);
        Assert.Contains("Sunny at 21 degrees", second.Content[0].Text, StringComparison.Ordinal);
    }

    private static async Task ParallelToolsAsync(SdkTarget target)
    {
        ChatClient client = ClientOf(target);
        ChatCompletionOptions options = new() { Tools = { Tool }, ToolChoice = ChatToolChoice.CreateRequiredChoice(), AllowParallelToolCalls = true };
        SortedDictionary<int, (string Id, string Name, string Arguments)> calls = [];
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync([new UserChatMessage(Samples.TwoCitiesPrompt)], options))
        {
            foreach (StreamingChatToolCallUpdate part in update.ToolCallUpdates)
            {
                (string id, string name, string arguments) = calls.GetValueOrDefault(part.Index, ("", "", ""));
                string more = part.FunctionArgumentsUpdate is { } bytes && bytes.ToMemory().Length > 0 ? bytes.ToString() : "";
                calls[part.Index] = (part.ToolCallId ?? id, name + part.FunctionName, arguments + more);
            }
        }

        Assert.Equal(2, calls.Count);
        Samples.CheckWeather(calls[0].Arguments, "Paris");
        Samples.CheckWeather(calls[1].Arguments, "London");
        ChatCompletion second = await client.CompleteChatAsync(
            [
                new UserChatMessage(Samples.TwoCitiesPrompt),
                new AssistantChatMessage(calls.Values.Select(call =>
                    ChatToolCall.CreateFunctionToolCall(call.Id, call.Name, BinaryData.FromString(call.Arguments)))),
                new ToolChatMessage(calls[0].Id, "Rain in the first"),
                new ToolChatMessage(calls[1].Id, "Fog in the second"),
            ],
            new ChatCompletionOptions { Tools = { Tool } });
        Assert.Matches("(?s)Rain in the first.*Fog in the second", second.Content[0].Text);
    }

    private static async Task StructuredAsync(SdkTarget target)
    {
        ChatCompletionOptions options = new()
        {
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("ship", BinaryData.FromString(Samples.ShipSchema), jsonSchemaIsStrict: true),
        };
        ChatCompletion answer = await ClientOf(target).CompleteChatAsync([new UserChatMessage("Describe a sailing ship.")], options);
        Samples.CheckShip(answer.Content[0].Text);
        Assert.Empty(answer.ToolCalls);
    }

    private static async Task ImageAsync(SdkTarget target)
    {
        ChatCompletion answer = await ClientOf(target).CompleteChatAsync(new UserChatMessage(
            ChatMessageContentPart.CreateTextPart("What is in this picture?"),
            ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(Samples.Png), "image/png")));
        Assert.Contains("7x5 png", answer.Content[0].Text, StringComparison.Ordinal);
    }

    private static Task PdfAsync(SdkTarget target) => DocumentCheck.RunAsync(
        target,
        async http => (await ClientOf(target, http: http).CompleteChatAsync(new UserChatMessage(
            ChatMessageContentPart.CreateTextPart(DocumentCheck.Prompt),
            ChatMessageContentPart.CreateFilePart(BinaryData.FromBytes(Samples.Pdf), "application/pdf", "charter.pdf")))).Value.Content[0].Text,
        "/messages/0/content/1");

    private static async Task ErrorKindsAsync(SdkTarget target) => await ErrorKinds.CheckAsync(target, new ErrorProbe
    {
        AskAsync = static (at, prompt) => ClientOf(at).CompleteChatAsync(prompt),
        AskWronglyAsync = static async at =>
        {
            using BinaryContent content = BinaryContent.Create(BinaryData.FromString($$"""{"model":"{{at.Model}}","messages":"Hello"}"""));
            await ClientOf(at).CompleteChatAsync(content);
        },
        // This SDK passes over an error within a stream, wherever it comes from: what tells half an answer from a whole one is that it has no end.
        StreamAsync = static async (at, prompt) =>
        {
            ChatFinishReason? finish = null;
            await foreach (StreamingChatCompletionUpdate update in ClientOf(at).CompleteChatStreamingAsync(prompt))
            {
                finish = update.FinishReason ?? finish;
            }

            throw finish is null ? new EndOfStreamException() : new InvalidOperationException($"The answer ended with {finish}.");
        },
        Look = Look,
        ClassOf = static status => status == 0 ? typeof(EndOfStreamException) : typeof(ClientResultException),
    });

    /// <summary>Status, request id and wait of this SDK's one class of error.</summary>
    public static (int Status, string? Id, string? Wait) Look(Exception error)
    {
        PipelineResponse? response = (error as ClientResultException)?.GetRawResponse();
        return response is null ? (0, null, null) : (response.Status, Header(response, "x-request-id"), Header(response, "retry-after"));
    }

    private static string? Header(PipelineResponse response, string name) => response.Headers.TryGetValue(name, out string? value) ? value : null;

    private static async Task ThinkingAsync(SdkTarget target)
    {
        ChatClient client = ClientOf(target);
        ChatCompletionOptions options = new() { ReasoningEffortLevel = ChatReasoningEffortLevel.Medium };
        List<ChatMessage> messages = [new UserChatMessage("Why do ships carry ballast?")];
        ChatCompletion first = await client.CompleteChatAsync(messages, options);
        if (target.Vendor == "openai")
        {
            Assert.True(first.Usage.OutputTokenDetails.ReasoningTokenCount > 0);
        }

        messages.AddRange([new AssistantChatMessage(first), new UserChatMessage("And why water?")]);
        ChatCompletion second = await client.CompleteChatAsync(messages, options);
        Assert.Equal(ChatFinishReason.Stop, second.FinishReason);
        Assert.True(second.Content[0].Text.Length > 10);
    }

    private static async Task ThinkingToolsAsync(SdkTarget target)
    {
        ChatClient client = ClientOf(target);
        ChatCompletionOptions options = new() { Tools = { Tool }, ReasoningEffortLevel = ChatReasoningEffortLevel.Medium };
        List<ChatMessage> messages = [new UserChatMessage(Samples.WeatherPrompt)];
        ChatCompletion first = await client.CompleteChatAsync(messages, options);
        ChatToolCall call = Assert.Single(first.ToolCalls);
        messages.AddRange([new AssistantChatMessage(first), new ToolChatMessage(call.Id, "Sunny at 21 degrees")]);
        ChatCompletion second = await client.CompleteChatAsync(messages, options);
        Assert.Contains("Sunny at 21 degrees", second.Content[0].Text, StringComparison.Ordinal);
    }

    private static async Task MaxTokensAsync(SdkTarget target)
    {
        ChatCompletion answer = await ClientOf(target).CompleteChatAsync(
            [new UserChatMessage(Samples.CountPrompt)], new ChatCompletionOptions { MaxOutputTokenCount = 9 });
        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
        Assert.InRange(answer.Usage.OutputTokenCount, 1, 9);
    }

    private static Task UnknownModelAsync(SdkTarget target) => RefusedAsync(ClientOf(target, model: target.UnknownModel), 404);

    private static Task WrongKeyAsync(SdkTarget target) => RefusedAsync(ClientOf(target, key: Samples.WrongKey), target.WrongKeyStatus);

    private static async Task RefusedAsync(ChatClient client, int status)
    {
        ClientResultException refusal = await Assert.ThrowsAsync<ClientResultException>(() => client.CompleteChatAsync("Hello"));
        Assert.Equal(status, refusal.Status);
        Assert.True(refusal.GetRawResponse()!.Headers.TryGetValue("x-request-id", out string? id) && id!.Length > 5);
    }

    private static async Task RefusedBodyAsync(SdkTarget target, string body)
    {
        using BinaryContent content = BinaryContent.Create(BinaryData.FromString(body.Replace("MODEL", target.Model, StringComparison.Ordinal)));
        ClientResultException refusal = await Assert.ThrowsAsync<ClientResultException>(() => ClientOf(target).CompleteChatAsync(content));
        Assert.Equal(400, refusal.Status);
        Assert.Contains("HTTP 400", refusal.Message, StringComparison.Ordinal);
    }
}
