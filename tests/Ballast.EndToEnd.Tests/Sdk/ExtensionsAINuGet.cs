using Microsoft.Extensions.AI;
using ChatFinishReason = Microsoft.Extensions.AI.ChatFinishReason;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatResponseFormat = Microsoft.Extensions.AI.ChatResponseFormat;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>What NuGet <c>Microsoft.Extensions.AI.OpenAI</c> is made to do, and the same abstraction over NuGet <c>Anthropic</c>.</summary>
internal static class ExtensionsAINuGet
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
        ["abort"] = AbortAsync,
        ["error_kinds"] = ErrorKindsAsync,
    };

    private static readonly ChatOptions Plain = new() { MaxOutputTokens = 500 };

    private static IChatClient ClientOf(SdkTarget target, HttpClient? http = null) => target.Protocol == "anthropic"
        ? AnthropicNuGet.ClientOf(target, http: http).AsIChatClient(target.Model)
        : OpenAINuGet.ClientOf(target, http: http).AsIChatClient();

    private static AIFunctionDeclaration Tool =>
        AIFunctionFactory.CreateDeclaration(Samples.ToolName, Samples.ToolDescription, Samples.Json(Samples.ToolSchema));

    private static async Task TextAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        ChatResponse answer = await client.GetResponseAsync([new(ChatRole.System, "You are terse."), new(ChatRole.User, Samples.ExactPrompt)], Plain);
        Assert.Equal(Samples.ExactText, answer.Text);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.True(answer.Usage?.InputTokenCount > 5 && answer.Usage.OutputTokenCount > 2);
    }

    private static async Task StreamAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        int pieces = 0;
        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(Samples.CountPrompt, Plain))
        {
            pieces += update.Text.Length > 0 ? 1 : 0;
            updates.Add(update);
        }

        ChatResponse answer = updates.ToChatResponse();
        Assert.Equal(Samples.Counted, answer.Text);
        Assert.True(pieces > 5);
        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.True(answer.Usage?.OutputTokenCount > 20);
    }

    private static async Task ToolsAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        List<ChatMessage> messages = [new(ChatRole.User, Samples.WeatherPrompt)];
        ChatOptions options = new() { MaxOutputTokens = 500, Tools = [Tool] };
        ChatResponse first = await client.GetResponseAsync(messages, options);
        FunctionCallContent call = Assert.Single(first.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        Assert.Contains("Paris", call.Arguments?["city"]?.ToString(), StringComparison.Ordinal);
        messages.AddRange([.. first.Messages, new(ChatRole.Tool, [new FunctionResultContent(call.CallId, "Sunny at 21 degrees")])]);
        ChatResponse second = await client.GetResponseAsync(messages, options);
        Assert.Contains("Sunny at 21 degrees", second.Text, StringComparison.Ordinal);
    }

    private static async Task ParallelToolsAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        List<ChatMessage> messages = [new(ChatRole.User, Samples.TwoCitiesPrompt)];
        ChatOptions options = new() { MaxOutputTokens = 500, Tools = [Tool], ToolMode = ChatToolMode.RequireAny };
        ChatResponse first = await client.GetStreamingResponseAsync(messages, options).ToChatResponseAsync();
        List<FunctionCallContent> calls = [.. first.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>()];
        Assert.Equal(2, calls.Count);
        Assert.NotEqual(calls[0].CallId, calls[1].CallId);
        messages.AddRange(
        [
            .. first.Messages,
            new(ChatRole.Tool, [new FunctionResultContent(calls[0].CallId, "Rain in the first"), new FunctionResultContent(calls[1].CallId, "Fog in the second")]),
        ]);
        ChatResponse second = await client.GetResponseAsync(messages, new ChatOptions { MaxOutputTokens = 500, Tools = [Tool] });
        Assert.Matches("(?s)Rain in the first.*Fog in the second", second.Text);
    }

    private static async Task StructuredAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        ChatOptions options = new()
        {
            MaxOutputTokens = 500,
            ResponseFormat = ChatResponseFormat.ForJsonSchema(Samples.Json(Samples.ShipSchema), "ship"),
        };
        Samples.CheckShip((await client.GetResponseAsync("Describe a sailing ship.", options)).Text);
    }

    private static async Task ImageAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        ChatMessage picture = new(ChatRole.User, [new TextContent("What is in this picture?"), new DataContent(Samples.Png, "image/png")]);
        Assert.Contains("7x5 png", (await client.GetResponseAsync(picture, Plain)).Text, StringComparison.Ordinal);
    }

    private static Task PdfAsync(SdkTarget target) => DocumentCheck.RunAsync(
        target,
        async http =>
        {
            using IChatClient client = ClientOf(target, http);
            ChatMessage page = new(ChatRole.User, [new TextContent(DocumentCheck.Prompt), new DataContent(Samples.Pdf, "application/pdf") { Name = "charter.pdf" }]);
            return (await client.GetResponseAsync(page, Plain)).Text;
        },
        "/messages/0/content/1");

    private static async Task ThinkingToolsAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        List<ChatMessage> messages = [new(ChatRole.User, Samples.WeatherPrompt)];
        ChatOptions options = new() { MaxOutputTokens = 8000, Tools = [Tool], Reasoning = new ReasoningOptions { Effort = ReasoningEffort.Medium } };
        ChatResponse first = await client.GetResponseAsync(messages, options);
        FunctionCallContent call = Assert.Single(first.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        messages.AddRange([.. first.Messages, new(ChatRole.Tool, [new FunctionResultContent(call.CallId, "Sunny at 21 degrees")])]);
        Assert.Contains("Sunny at 21 degrees", (await client.GetResponseAsync(messages, options)).Text, StringComparison.Ordinal);
    }

    private static async Task AbortAsync(SdkTarget target)
    {
        using WatchedHandler watched = new();
        using HttpClient http = new(watched);
        using IChatClient client = ClientOf(target.Slow, http);
        using CancellationTokenSource hangUp = new();
        int pieces = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(Samples.LongPrompt, new ChatOptions { MaxOutputTokens = 4000 }, hangUp.Token))
            {
                if (update.Text.Length > 0 && ++pieces == 3)
                {
                    await hangUp.CancelAsync();
                }
            }
        });
        Assert.InRange(pieces, 3, 4);
        Assert.Null(await target.IsCancelled!(watched.Id));
        await FreePlace.AssertAsync(target, TextAsync);
    }

    // It hands on the errors of the SDKs that it is built on.
    private static Task ErrorKindsAsync(SdkTarget target) => ErrorKinds.CheckAsync(target, new ErrorProbe
    {
        AskAsync = static async (at, prompt) =>
        {
            using IChatClient client = ClientOf(at);
            await client.GetResponseAsync(prompt, Plain);
        },
        AskWronglyAsync = static async at =>
        {
            using IChatClient client = ClientOf(at);
            ChatOptions broken = at.Protocol == "anthropic"
                ? new ChatOptions { RawRepresentationFactory = _ => AnthropicNuGet.BreakProtocol(at) }
                : new ChatOptions { MaxOutputTokens = -1 };
            await client.GetResponseAsync("Hello", broken);
        },
        StreamAsync = static async (at, prompt) =>
        {
            using IChatClient client = ClientOf(at);
            ChatResponse answer = await client.GetStreamingResponseAsync(prompt, Plain).ToChatResponseAsync();
            throw answer.FinishReason is null ? new EndOfStreamException() : new InvalidOperationException($"The answer ended with {answer.FinishReason}.");
        },
        Look = static error => error is Anthropic.Exceptions.AnthropicApiException told ? ((int)told.StatusCode, told.RequestID, null) : OpenAINuGet.Look(error),
        ClassOf = status => status == 0 ? (target.Protocol == "anthropic" ? typeof(Anthropic.Exceptions.AnthropicException) : typeof(EndOfStreamException)) : target.Protocol == "anthropic" ? typeof(Anthropic.Exceptions.AnthropicApiException) : typeof(System.ClientModel.ClientResultException),
        ShowsWait = target.Protocol != "anthropic",
    });

    private static async Task ThinkingAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        ChatOptions options = new() { MaxOutputTokens = 8000, Reasoning = new ReasoningOptions { Effort = ReasoningEffort.Medium } };
        List<ChatMessage> messages = [new(ChatRole.User, "Why do ships carry ballast?")];
        ChatResponse first = await client.GetResponseAsync(messages, options);
        messages.AddRange([.. first.Messages, new(ChatRole.User, "And why water?")]);
        ChatResponse second = await client.GetResponseAsync(messages, options);
        Assert.True(second.Text.Length > 10);
        Assert.Equal(ChatFinishReason.Stop, second.FinishReason);
    }

    private static async Task MaxTokensAsync(SdkTarget target)
    {
        using IChatClient client = ClientOf(target);
        ChatResponse answer = await client.GetResponseAsync(Samples.CountPrompt, new ChatOptions { MaxOutputTokens = 9 });
        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
    }
}
