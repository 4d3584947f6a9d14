using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI.Responses;

#pragma warning disable OPENAI001 // the SDK calls its client of Responses experimental

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>What NuGet <c>OpenAI</c>'s client of Responses is made to do.</summary>
internal static class ResponsesNuGet
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
        ["thinking_tools"] = ThinkingToolsAsync,
        ["state"] = StateAsync,
        ["max_tokens"] = MaxTokensAsync,
        ["count"] = CountAsync,
        ["abort"] = AbortAsync,
        ["error_kinds"] = ErrorKindsAsync,
        ["unknown_model"] = target => RefusedAsync(target, new CreateResponseOptions(target.UnknownModel, [ResponseItem.CreateUserMessageItem("Hello")]), target.IsGateway ? 404 : 400),
        ["wrong_key"] = target => RefusedAsync(target, Ask(target, "Hello"), 401, Samples.WrongKey),
        ["no_input"] = target => RefusedAsync(target, new CreateResponseOptions { Model = target.Model }, 400),
    };

    private static ResponseTool Tool => ResponseTool.CreateFunctionTool(
        Samples.ToolName, BinaryData.FromString(Samples.ToolSchema), strictModeEnabled: true, functionDescription: Samples.ToolDescription);

    private static ResponsesClient ClientOf(SdkTarget target, string? key = null, HttpClient? http = null)
    {
        ResponsesClientOptions options = new() { Endpoint = new Uri(target.Url, target.Prefix), RetryPolicy = new ClientRetryPolicy(0) };
        if (http is not null)
        {
            options.Transport = new HttpClientPipelineTransport(http);
        }

        return new ResponsesClient(new ApiKeyCredential(key ?? target.Key), options);
    }

    private static CreateResponseOptions Ask(SdkTarget target, string prompt) => new(target.Model, [ResponseItem.CreateUserMessageItem(prompt)]);

    private static CreateResponseOptions Ask(SdkTarget target, params ResponseContentPart[] parts) => new(target.Model, [ResponseItem.CreateUserMessageItem(parts)]);

    private static async Task<ResponseResult> AnswerAsync(SdkTarget target, CreateResponseOptions ask) => (await ClientOf(target).CreateResponseAsync(ask)).Value;

    private static async Task<List<StreamingResponseUpdate>> StreamAsync(SdkTarget target, CreateResponseOptions ask)
    {
        ask.StreamingEnabled = true;
        List<StreamingResponseUpdate> updates = [];
        await foreach (StreamingResponseUpdate update in await ClientOf(target).CreateResponseStreamingAsync(ask))
        {
            updates.Add(update);
        }

        return updates;
    }

    private static async Task TextAsync(SdkTarget target)
    {
        CreateResponseOptions ask = Ask(target, Samples.ExactPrompt);
        ask.Instructions = "You are terse.";
        ClientResult<ResponseResult> result = await ClientOf(target).CreateResponseAsync(ask);
        ResponseResult answer = result.Value;
        Assert.Equal(Samples.ExactText, answer.GetOutputText());
        Assert.Equal(ResponseStatus.Completed, answer.Status);
        Assert.True(answer.Usage.InputTokenCount > 5 && answer.Usage.OutputTokenCount > 2);
        Assert.Equal(answer.Usage.TotalTokenCount, answer.Usage.InputTokenCount + answer.Usage.OutputTokenCount);
        Assert.True(result.GetRawResponse().Headers.TryGetValue("x-request-id", out string? id) && id!.Length > 5);
    }

    private static async Task StreamAsync(SdkTarget target)
    {
        List<StreamingResponseUpdate> updates = await StreamAsync(target, Ask(target, Samples.CountPrompt));
        Assert.IsType<StreamingResponseCreatedUpdate>(updates[0]);
        Assert.Equal(Enumerable.Range(0, updates.Count), updates.Select(static update => (int)update.SequenceNumber));
        Assert.Equal(Samples.Counted, string.Concat(updates.OfType<StreamingResponseOutputTextDeltaUpdate>().Select(static update => update.Delta)));
        ResponseResult last = Assert.IsType<StreamingResponseCompletedUpdate>(updates[^1]).Response;
        Assert.Equal(Samples.Counted, last.GetOutputText());
        Assert.True(last.Usage.OutputTokenCount > 20);
    }

    private static async Task ToolsAsync(SdkTarget target)
    {
        CreateResponseOptions ask = Ask(target, Samples.WeatherPrompt);
        ask.Tools.Add(Tool);
        ResponseResult first = await AnswerAsync(target, ask);
        FunctionCallResponseItem call = Assert.Single(first.OutputItems.OfType<FunctionCallResponseItem>());
        Samples.CheckWeather(call.FunctionArguments.ToString(), "Paris");
        await EndAsync(target, ask, first, call);
    }

    // Everything goes back as it came: reasoning and calls with their results.
    private static async Task EndAsync(SdkTarget target, CreateResponseOptions ask, ResponseResult first, FunctionCallResponseItem call)
    {
        foreach (ResponseItem item in first.OutputItems)
        {
            ask.InputItems.Add(item);
        }

        ask.InputItems.Add(ResponseItem.CreateFunctionCallOutputItem(call.CallId, "Sunny at 21 degrees"));
        ResponseResult second = await AnswerAsync(target, ask);
        Assert.Contains("Sunny at 21 degrees", second.GetOutputText(), StringComparison.Ordinal);
    }

    private static async Task ParallelToolsAsync(SdkTarget target)
    {
        CreateResponseOptions ask = Ask(target, Samples.TwoCitiesPrompt);
        ask.Tools.Add(Tool);
        ask.ToolChoice = ResponseToolChoice.CreateRequiredChoice();
        List<StreamingResponseUpdate> updates = await StreamAsync(target, ask);
        Dictionary<int, StringBuilder> pieces = [];
        foreach (StreamingResponseFunctionCallArgumentsDeltaUpdate update in updates.OfType<StreamingResponseFunctionCallArgumentsDeltaUpdate>())
        {
            pieces.TryAdd(update.OutputIndex, new StringBuilder());
            pieces[update.OutputIndex].Append(update.Delta);
        }

        FunctionCallResponseItem[] calls = [.. updates.OfType<StreamingResponseOutputItemDoneUpdate>().Select(static update => update.Item).OfType<FunctionCallResponseItem>()];
        Assert.Equal(2, calls.Select(static call => call.CallId).Distinct().Count());
        Assert.Equal(calls.Select(static call => call.FunctionArguments.ToString()), pieces.OrderBy(static one => one.Key).Select(static one => one.Value.ToString()));
        Samples.CheckWeather(calls[0].FunctionArguments.ToString(), "Paris");
        Samples.CheckWeather(calls[1].FunctionArguments.ToString(), "London");
    }

    private static async Task StructuredAsync(SdkTarget target)
    {
        CreateResponseOptions ask = Ask(target, "Describe a sailing ship.");
        ask.TextOptions = new ResponseTextOptions
        {
            TextFormat = ResponseTextFormat.CreateJsonSchemaFormat("ship", BinaryData.FromString(Samples.ShipSchema), jsonSchemaIsStrict: true),
        };
        Samples.CheckShip((await AnswerAsync(target, ask)).GetOutputText());
    }

    private static async Task ImageAsync(SdkTarget target)
    {
        ResponseResult answer = await AnswerAsync(target, Ask(
            target, ResponseContentPart.CreateInputTextPart("What is in this picture?"), ResponseContentPart.CreateInputImagePart(new Uri($"data:image/png;base64,{Convert.ToBase64String(Samples.Png)}"))));
        Assert.Contains("7x5 png", answer.GetOutputText(), StringComparison.Ordinal);
    }

    private static Task PdfAsync(SdkTarget target) => DocumentCheck.RunAsync(
        target,
        async http => (await ClientOf(target, http: http).CreateResponseAsync(Ask(
            target,
            ResponseContentPart.CreateInputFilePart(BinaryData.FromBytes(Samples.Pdf), "application/pdf", "charter.pdf"),
            ResponseContentPart.CreateInputTextPart(DocumentCheck.Prompt)))).Value.GetOutputText(),
        "/input/0/content/0");

    private static async Task CountAsync(SdkTarget target)
    {
        using BinaryContent body = BinaryContent.Create(BinaryData.FromString($$"""{"model":"{{target.Model}}","input":"How many tokens are these?"}"""));
        ClientResult result = await ClientOf(target).GetInputTokenCountAsync(body, "application/json");
        Assert.InRange(Samples.Json(result.GetRawResponse().Content.ToString()).GetProperty("input_tokens").GetInt64(), 4, 40);
    }

    private static Task ErrorKindsAsync(SdkTarget target) => ErrorKinds.CheckAsync(target, new ErrorProbe
    {
        AskAsync = static (at, prompt) => ClientOf(at).CreateResponseAsync(Ask(at, prompt)),
        AskWronglyAsync = static at => ClientOf(at).CreateResponseAsync(new CreateResponseOptions { Model = at.Model }),
        StreamAsync = static async (at, prompt) =>
        {
            List<StreamingResponseUpdate> updates = await StreamAsync(at, Ask(at, prompt));
            // This SDK hands out a stream's failure as what it is, an event.
            throw new InvalidOperationException(Assert.Single(updates, static update => update is StreamingResponseFailedUpdate or StreamingResponseErrorUpdate).Kind.ToString());
        },
        Look = OpenAINuGet.Look,
        ClassOf = static status => status == 0 ? typeof(InvalidOperationException) : typeof(ClientResultException),
        Statuses = target.IsGateway ? new Dictionary<string, int[]>() : new Dictionary<string, int[]> { ["unknown"] = [400] },
    });

    private static async Task ThinkingToolsAsync(SdkTarget target)
    {
        CreateResponseOptions ask = Ask(target, Samples.WeatherPrompt);
        ask.Tools.Add(Tool);
        ask.StoredOutputEnabled = false;
        ask.ReasoningOptions = new ResponseReasoningOptions { ReasoningEffortLevel = ResponseReasoningEffortLevel.Medium };
        ask.IncludedProperties.Add(IncludedResponseProperty.ReasoningEncryptedContent);
        ResponseResult first = await AnswerAsync(target, ask);
        Assert.True(!target.IsSigned || first.OutputItems.OfType<ReasoningResponseItem>().Any(static item => item.EncryptedContent is { Length: > 10 }));
        await EndAsync(target, ask, first, Assert.Single(first.OutputItems.OfType<FunctionCallResponseItem>()));
    }

    private static async Task StateAsync(SdkTarget target)
    {
        ResponsesClient client = ClientOf(target);
        ResponseResult first = (await client.CreateResponseAsync(target.Model, "My name is Ada.")).Value;
        ResponseResult second = (await client.CreateResponseAsync(target.Model, "What is my name?", first.Id)).Value;
        Assert.Contains("Ada", second.GetOutputText(), StringComparison.Ordinal);
        Assert.Equal(first.Id, second.PreviousResponseId);
        Assert.Equal(second.GetOutputText(), (await client.GetResponseAsync(second.Id)).Value.GetOutputText());
        CreateResponseOptions unkept = Ask(target, "My name is Ada.");
        unkept.StoredOutputEnabled = false;
        ResponseResult third = await AnswerAsync(target, unkept);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => client.GetResponseAsync(third.Id))).Status);
        Assert.True((await client.DeleteResponseAsync(second.Id)).Value.Deleted);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => client.GetResponseAsync(second.Id))).Status);
    }

    private static async Task MaxTokensAsync(SdkTarget target)
    {
        CreateResponseOptions ask = Ask(target, Samples.CountPrompt);
        ask.MaxOutputTokenCount = 16;
        ResponseResult answer = await AnswerAsync(target, ask);
        Assert.Equal(ResponseStatus.Incomplete, answer.Status);
        Assert.Equal(ResponseIncompleteStatusReason.MaxOutputTokens, answer.IncompleteStatusDetails.Reason);
    }

    private static async Task AbortAsync(SdkTarget target)
    {
        using WatchedHandler watched = new();
        using HttpClient http = new(watched);
        using CancellationTokenSource hangUp = new();
        CreateResponseOptions ask = Ask(target, Samples.LongPrompt);
        ask.StreamingEnabled = true;
        int pieces = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (StreamingResponseUpdate update in await ClientOf(target.Slow, http: http).CreateResponseStreamingAsync(ask, hangUp.Token))
            {
                if (update is StreamingResponseOutputTextDeltaUpdate && ++pieces == 3)
                {
                    await hangUp.CancelAsync();
                }
            }
        });
        Assert.InRange(pieces, 3, 4);
        Assert.Null(await target.IsCancelled!(watched.Id));
        await FreePlace.AssertAsync(target, TextAsync);
    }

    private static async Task RefusedAsync(SdkTarget target, CreateResponseOptions ask, int status, string? key = null)
    {
        ClientResultException refusal = await Assert.ThrowsAsync<ClientResultException>(() => ClientOf(target, key).CreateResponseAsync(ask));
        Assert.Equal(status, refusal.Status);
        Assert.True(refusal.GetRawResponse()!.Headers.TryGetValue("x-request-id", out string? id) && id!.Length > 5);
    }
}
