using System.Text;

namespace Ballast.Sandbox.Tests.Recorded;

/// <summary>The judge of recordings sees through each form of request and answer: what says the same passes, and nothing may go missing.</summary>
public sealed class FormsTests
{
    private const string ChatRequest = """
        {"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Rome?"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]},
        {"role":"tool","tool_call_id":"c1","content":"sunny"}],"max_completion_tokens":50,"temperature":0.5,
        "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}
        """;

    private const string ChatAnswer = """
        {"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Sunny.",
        "tool_calls":[{"id":"c2","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}
        """;

    public static TheoryData<string, string> Requests => new()
    {
        {
            WireApi.Gemini,
            """
            {"contents":[{"role":"user","parts":[{"text":"Rome?"}]},{"role":"model","parts":[{"functionCall":{"id":"c1","name":"weather","args":{"city":"Rome"}}}]},
            {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"weather","response":{"output":"sunny"}}}]}],"systemInstruction":{"parts":[{"text":"Be brief."}]},
            "generationConfig":{"maxOutputTokens":50,"temperature":0.5},
            "tools":[{"functionDeclarations":[{"name":"weather","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]}]}
            """
        },
        {
            WireApi.Converse,
            """
            {"messages":[{"role":"user","content":[{"text":"Rome?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"weather","input":{"city":"Rome"}}}]},
            {"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"sunny"}]}}]}],"system":[{"text":"Be brief."}],
            "inferenceConfig":{"maxTokens":50,"temperature":0.5},
            "toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}}}}}}]}}
            """
        },
        {
            WireApi.Responses,
            """
            {"model":"m","instructions":"Be brief.","input":[{"role":"user","content":"Rome?"},{"type":"function_call","call_id":"c1","name":"weather","arguments":"{\"city\":\"Rome\"}"},
            {"type":"function_call_output","call_id":"c1","output":"sunny"}],"max_output_tokens":50,"temperature":0.5,
            "tools":[{"type":"function","name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]}
            """
        },
        {
            WireApi.Ollama,
            """
            {"model":"m","stream":false,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Rome?"},
            {"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"name":"weather","arguments":{"city":"Rome"}}}]},{"role":"tool","tool_call_id":"c1","content":"sunny"}],
            "options":{"num_predict":50,"temperature":0.5},"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}
            """
        },
        {
            WireApi.Cohere,
            """
            {"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Rome?"},
            {"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]},{"role":"tool","tool_call_id":"c1","content":"sunny"}],
            "max_tokens":50,"temperature":0.5,"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}
            """
        },
    };

    public static TheoryData<string, string> Answers => new()
    {
        {
            WireApi.Gemini,
            """
            {"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Sunny."},{"functionCall":{"id":"c2","name":"weather","args":{"city":"Rome"}}}]},"finishReason":"STOP"}],
            "usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15},"modelVersion":"m"}
            """
        },
        {
            WireApi.Converse,
            """
            {"output":{"message":{"role":"assistant","content":[{"text":"Sunny."},{"toolUse":{"toolUseId":"c2","name":"weather","input":{"city":"Rome"}}}]}},"stopReason":"tool_use",
            "usage":{"inputTokens":10,"outputTokens":5,"totalTokens":15}}
            """
        },
        {
            WireApi.Responses,
            """
            {"id":"r","object":"response","created_at":1,"status":"completed","model":"m","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Sunny.","annotations":[]}]},
            {"type":"function_call","call_id":"c2","name":"weather","arguments":"{\"city\":\"Rome\"}"}],"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":15}}
            """
        },
        {
            WireApi.Ollama,
            """
            {"model":"m","created_at":"2025-01-01T00:00:00Z","message":{"role":"assistant","content":"Sunny.","tool_calls":[{"id":"c2","function":{"name":"weather","arguments":{"city":"Rome"}}}]},
            "done":true,"done_reason":"stop","prompt_eval_count":10,"eval_count":5}
            """
        },
        {
            WireApi.Cohere,
            """
            {"id":"r","message":{"role":"assistant","content":[{"type":"text","text":"Sunny."}],"tool_calls":[{"id":"c2","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Rome\"}"}}]},
            "finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":10,"output_tokens":5}}}
            """
        },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public void Requests_ThatSayTheSame_DifferInNothing(string api, string body)
    {
        Assert.Empty(RequestCrossing.Compare(api, Bytes(body), WireApi.Chat, Bytes(ChatRequest)));
        Assert.Empty(RequestCrossing.Compare(WireApi.Chat, Bytes(ChatRequest), api, Bytes(body)));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void Requests_FromWhichSomethingIsMissing_Differ(string api, string body)
    {
        foreach (string word in (string[])["Be brief.", "Rome?", "sunny", "weather", "50", "0.5"])
        {
            string other = word is "50" or "0.5" ? "7" : "other";
            Assert.True(RequestCrossing.Compare(api, Bytes(body), WireApi.Chat, Bytes(ChatRequest.Replace(word, other, StringComparison.Ordinal))).Count > 0, $"{api}: {word}");
            Assert.True(RequestCrossing.Compare(WireApi.Chat, Bytes(ChatRequest), api, Bytes(body.Replace(word, other, StringComparison.Ordinal))).Count > 0, $"to {api}: {word}");
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void Requests_WithAFieldThatNobodyKnows_DifferThere(string api, string body)
    {
        string added = $"{{\"weather_model\":\"fine\",{body.Trim()[1..]}";
        Assert.Equal(["/weather_model"], RequestCrossing.Compare(api, Bytes(added), WireApi.Chat, Bytes(ChatRequest)).Select(difference => difference.Pointer));
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answers_ThatSayTheSame_DifferInNothing(string api, string body)
    {
        Assert.Empty(AnswerCrossing.Compare(api, RecordedFraming.Whole, Bytes(body), Bytes(ChatAnswer), usageAsked: true));
        Assert.Equal(RecordedEnd.Complete, AnswerCrossing.EndOf(api, RecordedFraming.Whole, Bytes(body)));
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answers_FromWhichSomethingIsMissing_Differ(string api, string body)
    {
        foreach (string word in (string[])["Sunny.", "weather", "\\\"Rome\\\"", "c2", ":10", ":5", "tool_calls\"}"])
        {
            string changed = ChatAnswer.Replace(word, word switch { ":10" or ":5" => ":7", "tool_calls\"}" => "length\"}", _ => "other" }, StringComparison.Ordinal);
            Assert.NotEqual(ChatAnswer, changed);
            Assert.True(AnswerCrossing.Compare(api, RecordedFraming.Whole, Bytes(body), Bytes(changed), usageAsked: true).Count > 0, $"{api}: {word}");
        }
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answers_WithAFieldThatNobodyKnows_DifferThere(string api, string body)
    {
        string added = $"{{\"weather_model\":\"fine\",{body.Trim()[1..]}";
        Assert.Equal(["/weather_model"], AnswerCrossing.Compare(api, RecordedFraming.Whole, Bytes(added), Bytes(ChatAnswer), usageAsked: true).Select(difference => difference.Pointer));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
