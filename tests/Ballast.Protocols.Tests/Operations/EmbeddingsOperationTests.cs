using System.Buffers;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Operations;

public class EmbeddingsOperationTests
{
    private const string OpenAI = "openai-embeddings";
    private const string Cohere = "cohere-embeddings";
    private const string Gemini = "gemini-embeddings";
    private const string GeminiOne = "gemini-embedding";
    private const string Vertex = "vertex-embeddings";

    private static readonly Dictionary<string, Protocol> s_forms = new()
    {
        [OpenAI] = ProtocolList.OpenAIEmbeddings,
        [Cohere] = ProtocolList.CohereEmbeddings,
        [Gemini] = ProtocolList.GeminiEmbeddings,
        [GeminiOne] = ProtocolList.GeminiEmbedding,
        [Vertex] = ProtocolList.VertexEmbeddings,
    };

    private static readonly RequestTarget s_target = new() { Model = "target", Vendor = "openai", Features = TargetFeatures.None };

    [Theory]
    [InlineData(OpenAI, """{"model":"a","input":"one"}""", Cohere, """{"model":"target","texts":["one"],"input_type":"search_document","embedding_types":["float"]}""", "")]
    [InlineData(OpenAI, """{"model":"a","input":["one","two"],"dimensions":8,"user":"u"}""", Gemini,
        """{"requests":[{"model":"models/target","content":{"parts":[{"text":"one"}]},"outputDimensionality":8},{"model":"models/target","content":{"parts":[{"text":"two"}]},"outputDimensionality":8}]}""", "/user")]
    [InlineData(Cohere, """{"model":"a","texts":["one"],"input_type":"search_query","output_dimension":8,"embedding_types":["float","int8"],"priority":1}""", OpenAI,
        """{"model":"target","input":["one"],"encoding_format":"float","dimensions":8}""", "/embedding_types/1 /input_type /priority")]
    [InlineData(Gemini, """{"requests":[{"model":"models/a","content":{"parts":[{"text":"o"},{"text":"ne"}]},"taskType":"RETRIEVAL_QUERY"}]}""", Cohere,
        """{"model":"target","texts":["one"],"input_type":"search_query","embedding_types":["float"]}""", "")]
    [InlineData(GeminiOne, """{"content":{"parts":[{"text":"one"}]},"title":"t","output_dimensionality":4}""", OpenAI,
        """{"model":"target","input":["one"],"encoding_format":"float","dimensions":4}""", "/title")]
    [InlineData(OpenAI, """{"model":"a","input":["one"],"dimensions":8}""", GeminiOne, """{"content":{"parts":[{"text":"one"}]},"outputDimensionality":8}""", "")]
    [InlineData(GeminiOne, """{"model":"models/a","content":{"parts":[{"text":"one"}]},"taskType":"CLUSTERING","title":"t"}""", Vertex,
        """{"instances":[{"content":"one","task_type":"CLUSTERING","title":"t"}]}""", "")]
    [InlineData(Vertex, """{"instances":[{"content":"one","task_type":"RETRIEVAL_QUERY"},{"content":"two","task_type":"RETRIEVAL_QUERY"}],"parameters":{"outputDimensionality":8,"autoTruncate":false}}""", Gemini,
        """{"requests":[{"model":"models/target","content":{"parts":[{"text":"one"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8},{"model":"models/target","content":{"parts":[{"text":"two"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8}]}""",
        "/parameters/autoTruncate")]
    public void WriteRequest_OtherForm_SaysTheSame(string from, string body, string to, string expected, string losses)
    {
        LossReport report = new();
        ArrayBufferWriter<byte> output = new();

        s_forms[to].WriteRequest(Read(from, body), s_target, report, output);

        Assert.Equal(expected, Encoding.UTF8.GetString(output.WrittenSpan));
        Assert.Equal(losses, string.Join(' ', report.Losses.Select(loss => loss.Pointer).Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData(OpenAI, """{"object":"list","data":[{"index":1,"embedding":[3,-0.5]},{"index":0,"embedding":[1,2]}],"model":"served","usage":{"prompt_tokens":5,"total_tokens":5}}""")]
    [InlineData(OpenAI, """{"data":[{"index":0,"embedding":"AACAPwAAAEA="},{"index":1,"embedding":"AABAQAAAAL8="}],"usage":{"prompt_tokens":5,"total_tokens":5}}""")]
    [InlineData(Cohere, """{"id":"x","embeddings":{"float":[[1,2],[3,-0.5]]},"meta":{"billed_units":{"input_tokens":5}}}""")]
    [InlineData(Gemini, """{"embeddings":[{"values":[1,2]},{"values":[3,-0.5]}],"usageMetadata":{"promptTokenCount":5,"promptTokenDetails":[{"modality":"TEXT","tokenCount":5}]}}""")]
    [InlineData(Vertex, """{"predictions":[{"embeddings":{"statistics":{"truncated":false,"token_count":2},"values":[1,2]}},{"embeddings":{"values":[3,-0.5],"statistics":{"token_count":3}}}],"metadata":{"billableCharacterCount":9}}""")]
    public void Answer_AnyForm_IsWrittenInAnyOther(string from, string body)
    {
        List<ChatEvent> events = Events(from, body);
        Assert.Equal("""{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,2]},{"object":"embedding","index":1,"embedding":[3,-0.5]}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":5}}""",
            Write(OpenAI, events, isBase64: false));
        Assert.Equal("""{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAEA="},{"object":"embedding","index":1,"embedding":"AABAQAAAAL8="}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":5}}""",
            Write(OpenAI, events, isBase64: true));
        Assert.Equal("""{"id":"id","embeddings":{"float":[[1,2],[3,-0.5]]},"meta":{"billed_units":{"input_tokens":5}},"response_type":"embeddings_by_type"}""", Write(Cohere, events, isBase64: false));
        Assert.Equal("""{"embeddings":[{"values":[1,2]},{"values":[3,-0.5]}]}""", Write(Gemini, events, isBase64: false));
        Assert.Equal(
            """{"predictions":[{"embeddings":{"statistics":{"token_count":5,"truncated":false},"values":[1,2]}},{"embeddings":{"statistics":{"token_count":0,"truncated":false},"values":[3,-0.5]}}]}""",
            Write(Vertex, events, isBase64: false));
    }

    [Fact]
    public void Splice_GeminiBatch_NamesTheTargetWhereverAModelStands()
    {
        const string body = """{"requests":[{"model":"models/a","content":{"parts":[{"text":"model"}]}},{ "model" : "models/a","content":{"model":"kept"}}]}""";
        RequestEnvelope envelope = s_forms[Gemini].Peek(Encoding.UTF8.GetBytes(body), new RequestAddress("a", StreamForm.Whole));
        ArrayBufferWriter<byte> output = new();

        s_forms[Gemini].SpliceRequest(envelope, s_target, output);

        Assert.Equal(
            """{"requests":[{"model":"models/target","content":{"parts":[{"text":"model"}]}},{ "model" : "models/target","content":{"model":"kept"}}]}""",
            Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Theory]
    [InlineData(OpenAI, """{"model":"a"}""")]
    [InlineData(OpenAI, """{"model":"a","input":[]}""")]
    [InlineData(OpenAI, """{"model":"a","input":[{}]}""")]
    [InlineData(OpenAI, """{"model":"a","input":"x","dimensions":"many"}""")]
    [InlineData(Cohere, """{"model":"a","texts":[]}""")]
    [InlineData(Gemini, """{"requests":7}""")]
    [InlineData(Vertex, """{"instances":[]}""")]
    [InlineData(Vertex, """{"instances":[{"content":7}]}""")]
    [InlineData(Vertex, """{"instances":[{"content":"a","task_type":"CLUSTERING"},{"content":"b"}]}""")]
    [InlineData(Gemini, """{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"},{"content":{"parts":[{"text":"b"}]}}]}""")]
    public void ReadRequest_NoRequest_IsRefused(string form, string body) => Assert.Throws<ProtocolException>(() => Read(form, body));

    [Fact]
    public void WriteRequest_TokensOfAnotherTokenizer_IsRefused()
    {
        ChatRequest request = Read(OpenAI, """{"model":"a","input":[[1,2,3]]}""");

        ProtocolException refusal = Assert.Throws<ProtocolException>(() => s_forms[Cohere].WriteRequest(request, s_target, new LossReport(), new ArrayBufferWriter<byte>()));

        Assert.Equal("input.0", refusal.Error.Param);
    }

    private static ChatRequest Read(string form, string body)
    {
        RequestAddress address = new("of-the-path", StreamForm.Whole);
        s_forms[form].Peek(Encoding.UTF8.GetBytes(body), address);
        return s_forms[form].ReadRequest(Encoding.UTF8.GetBytes(body), address);
    }

    private static List<ChatEvent> Events(string form, string body)
    {
        ResponseReader reader = s_forms[form].OpenReader(new ReaderOptions { Stream = false, Depth = ReadDepth.Everything, Vendor = "v" });
        ReadOnlySequence<byte> bytes = new(Encoding.UTF8.GetBytes(body));
        Assert.True(reader.TryReadFrame(ref bytes, isCompleted: true, out _, out _));
        return reader.Events;
    }

    private static string Write(string form, List<ChatEvent> events, bool isBase64)
    {
        ArrayBufferWriter<byte> output = new();
        ResponseWriter writer = s_forms[form].OpenWriter(new WriterOptions { Stream = false, FallbackId = "id", Model = "m", CreatedUnixSeconds = 0, IsBase64 = isBase64 });
        foreach (ChatEvent one in events)
        {
            writer.Write(one, output);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
