using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Operations;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Conversation;

/// <summary>Sound, pictures and searches have prices of their own, so what a protocol tells of them must reach the usage, however the answer is read.</summary>
public sealed class MediaUsageTests
{
    public static TheoryData<string, string, MediaUsage?> Answers => new()
    {
        {
            "openai-chat",
            """{"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":90,"completion_tokens":50,"total_tokens":140,"prompt_tokens_details":{"cached_tokens":10,"audio_tokens":60},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":40}}}""",
            new MediaUsage { InputAudioTokens = 60, OutputAudioTokens = 40 }
        },
        {
            "openai-chat",
            """{"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}""",
            null
        },
        {
            "anthropic-messages",
            """{"id":"a","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_search_requests":3,"web_fetch_requests":1}}}""",
            new MediaUsage { WebSearches = 3 }
        },
        {
            "gemini",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":30,"totalTokenCount":130,"promptTokensDetails":[{"modality":"TEXT","tokenCount":20},{"modality":"AUDIO","tokenCount":50},{"tokenCount":30,"modality":"IMAGE"}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":15},{"modality":"TEXT","tokenCount":25}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":25}]}}""",
            new MediaUsage { InputAudioTokens = 35, CacheReadAudioTokens = 15, InputImageTokens = 30, OutputImageTokens = 25 }
        },
        {
            // Two searches, a page that was opened and one that was looked through: the first two are billed (https://platform.openai.com/docs/guides/tools-web-search#output-and-citations).
            "openai-responses",
            """{"id":"a","object":"response","status":"completed","model":"m","output":[{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q","queries":["q","r"]}},{"action":{"sources":[{"type":"url"}],"type":"open_page","url":"https://e.org"},"type":"web_search_call","id":"ws_2","status":"completed"},{"type":"web_search_call","id":"ws_3","status":"completed","action":{"type":"find_in_page","pattern":"p","url":"https://e.org"}},{"type":"web_search_call","id":"ws_4","status":"failed"},{"type":"message","id":"m","status":"completed","role":"assistant","content":[{"type":"output_text","text":"x","annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}""",
            new MediaUsage { WebSearches = 2 }
        },
        {
            // Four are told, one of them twice and one without words (https://ai.google.dev/gemini-api/docs/google-search#pricing).
            "gemini",
            """{"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["","a","b","a"],"groundingChunks":[]}}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}""",
            new MediaUsage { WebSearches = 2 }
        },
        {
            "openai-chat", // Perplexity's
            """{"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"num_search_queries":7}}""",
            new MediaUsage { WebSearches = 7 }
        },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answer_ReadInWholeOrWatched_TellsWhatIsNoText(string protocol, string body, MediaUsage? expected)
    {
        Protocol spoken = ProtocolList.All.Single(one => one.Name == protocol);
        foreach (ReadDepth depth in Enum.GetValues<ReadDepth>())
        {
            AnswerRun.Result result = AnswerRun.Read(spoken, new ReaderOptions { Stream = false, Depth = depth, Vendor = "test" }, body);

            Assert.NotNull(result.Reader.Usage);
            Assert.Equal(expected, result.Reader.Usage.Media);
        }
    }

    [Fact]
    public void Stream_OfMessages_TellsTheSearchesOfItsEnd()
    {
        const string body = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"server_tool_use\":{\"web_search_requests\":0}}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2,\"server_tool_use\":{\"web_search_requests\":2}}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        foreach (ReadDepth depth in Enum.GetValues<ReadDepth>())
        {
            AnswerRun.Result result = AnswerRun.Read(ProtocolList.AnthropicMessages, new ReaderOptions { Stream = true, Depth = depth, Vendor = "test" }, body);
            Assert.Equal(new MediaUsage { WebSearches = 2 }, result.Reader.Usage?.Media);
        }
    }

    /// <summary>Items are told as they begin, as they end, and with the answer's end once more; of a stream that was taken up in its middle the last is all there is.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stream_OfResponses_CountsEachSearchOnce(bool isWhole)
    {
        const string search = "{\"type\":\"web_search_call\",\"id\":\"ws_1\",\"status\":\"completed\",\"action\":{\"type\":\"search\",\"query\":\"q\"}}";
        const string message = "{\"type\":\"message\",\"id\":\"m\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"x\",\"annotations\":[]}]}";
        string begun = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"a\",\"model\":\"m\",\"status\":\"in_progress\",\"output\":[]}}\n\n";
        string searched = $"data: {{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{search}}}\n\ndata: {{\"type\":\"response.web_search_call.searching\",\"output_index\":0,\"item_id\":\"ws_1\"}}\n\ndata: {{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{search}}}\n\n";
        string said = $"data: {{\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{message}}}\n\n";
        string ended = $"data: {{\"type\":\"response.completed\",\"response\":{{\"id\":\"a\",\"model\":\"m\",\"status\":\"completed\",\"output\":[{search},{message}],\"usage\":{{\"input_tokens\":1,\"output_tokens\":1,\"total_tokens\":2}}}}}}\n\n";
        foreach (ReadDepth depth in Enum.GetValues<ReadDepth>())
        {
            AnswerRun.Result result = AnswerRun.Read(ProtocolList.OpenAIResponses, new ReaderOptions { Stream = true, Depth = depth, Vendor = "test" }, begun + (isWhole ? searched : "") + said + ended);
            Assert.Equal(new MediaUsage { WebSearches = 1 }, result.Reader.Usage?.Media);
        }
    }

    /// <summary>Chunks repeat and add to what was searched for.</summary>
    [Fact]
    public void Stream_OfGemini_CountsEachSearchOnce()
    {
        const string body = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"groundingMetadata\":{\"webSearchQueries\":[\"a\"]}}],\"usageMetadata\":{\"promptTokenCount\":1}}\n\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"y\"}]},\"finishReason\":\"STOP\",\"groundingMetadata\":{\"webSearchQueries\":[\"a\",\"b\",\"c\"]}}],\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":2}}\n\n";
        foreach (ReadDepth depth in Enum.GetValues<ReadDepth>())
        {
            AnswerRun.Result result = AnswerRun.Read(ProtocolList.Gemini, new ReaderOptions { Stream = true, Depth = depth, Vendor = "test" }, body);
            Assert.Equal(new MediaUsage { WebSearches = 3 }, result.Reader.Usage?.Media);
        }
    }

    [Theory]
    [InlineData("""{"input_tokens":60,"output_tokens":1100,"total_tokens":1160,"input_tokens_details":{"text_tokens":20,"image_tokens":40,"cached_tokens":10,"cached_tokens_details":{"text_tokens":4,"image_tokens":6}},"output_tokens_details":{"image_tokens":1056,"text_tokens":44}}""", 0, 0, 34, 6, 1056)]
    [InlineData("""{"type":"tokens","total_tokens":27,"input_tokens":14,"output_tokens":13,"input_token_details":{"text_tokens":4,"audio_tokens":10}}""", 10, 0, 0, 0, 0)]
    [InlineData("""{"input_tokens":14,"output_tokens":13,"output_tokens_details":{"audio_tokens":11},"total_tokens":27}""", 0, 11, 0, 0, 0)]
    public void Operation_TellsPicturesAndSoundBesideText(string json, long inputAudio, long outputAudio, long inputImage, long cachedImage, long outputImage)
    {
        Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(json));
        reader.Read();
        MediaUsage expected = new() { InputAudioTokens = inputAudio, OutputAudioTokens = outputAudio, InputImageTokens = inputImage, CacheReadImageTokens = cachedImage, OutputImageTokens = outputImage };

        Assert.Equal(expected, OperationUsage.Read(ref reader)!.Media);
    }
}
