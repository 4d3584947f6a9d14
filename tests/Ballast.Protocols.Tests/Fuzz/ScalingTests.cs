using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Ballast.Protocols.Tests.Fuzz;

/// <summary>
/// Work grows with the input, not with its square: whoever may send a body, and every platform that may answer with one, would otherwise hold a core with it. An input
/// of sixteen times the size may take sixty-four times as long: a linear reader is far below on a busy machine, one that looks everything over for each item far above.
/// </summary>
public class ScalingTests
{
    private const int Small = 1_000;

    private const int Growth = 16;

    private const int TimesMax = 64;

    /// <summary>What else a machine does spoils one measurement or two; what takes the square of the time takes it in every round.</summary>
    private const int RoundsMax = 6;

    /// <summary>Shorter times are noise, and harm nobody.</summary>
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(2);

    /// <summary>Bodies that grow with one number, by what it is that there are many of, and by the readers that they go to.</summary>
    private const string OpenAIRequest = "openai-chat peek,openai-chat request";

    private const string AnthropicRequest = "anthropic-messages peek,anthropic-messages request";

    private const string ConverseRequest = "bedrock-converse peek,bedrock-converse request";

    private const string OllamaRequest = "ollama-chat peek,ollama-chat request";

    private const string CohereRequest = "cohere-chat peek,cohere-chat request";

    private const string OpenAIStream = "openai-chat stream,sse";

    private const string AnthropicStreams = "anthropic-messages stream,sse";

    private const string GeminiRequest = "gemini peek,gemini request";

    private const string Done = "data: [DONE]\n\n";

    /// <summary>Inputs that grow with one number, by what it is that there are many of, and by the targets that read them.</summary>
    private static readonly (string Targets, string What, Func<int, string> Make)[] s_shapes =
    [
        (OpenAIRequest, "messages", n => OpenAI(Many(n, """{"role":"user","content":"c"}""", """{"role":"assistant","content":"c"}"""))),
        (OpenAIRequest, "messages of one role", n => OpenAI(Many(n, """{"role":"user","name":"x","content":[{"type":"text","text":"c"}]}"""))),
        (OpenAIRequest, "system messages", n => OpenAI(Many(n, """{"role":"system","content":"c"}"""))),
        (OpenAIRequest, "parts", n => OpenAI("""{"role":"user","content":[""" + Many(n, """{"type":"text","text":"c"}""", """{"type":"zz"}""") + "]}")),
        (OpenAIRequest, "text", n => OpenAI("""{"role":"user","content":"x""" + Repeat(n * 10, "a\\n") + "\"}")),
        (OpenAIRequest, "calls and results", n =>
            OpenAI("""{"role":"assistant","tool_calls":[""" + Many(n, """{"id":"a b/#","type":"function","function":{"name":"f.#","arguments":"{\"a\":1}"}}""") + "]}," + Many(n, """{"role":"tool","tool_call_id":"a b/#","content":"r"}"""))),
        (OpenAIRequest, "calls in turns", n =>
            OpenAI(Many(n, """{"role":"assistant","reasoning_content":"h","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"c","content":"r"}"""))),
        (OpenAIRequest, "tools", n =>
            OpenAIWith("\"tools\":[" + Many(n, """{"type":"function","function":{"name":"f.#","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"string","minLength":1}}}}}""") + "]")),
        (OpenAIRequest, "unknown fields", n => OpenAIWith(Many(n, """ "zz#":#"""))),
        (OpenAIRequest, "properties of a schema", n =>
            OpenAIWith("\"response_format\":" + """{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{""" + Many(n, "\"p#\":{\"type\":\"string\",\"maxLength\":3}") + "}}}}")),
        (OpenAIRequest, "stop sequences", n => OpenAIWith("\"stop\":[" + Many(n, "\"s#\"") + """],"logit_bias":{""" + Many(n, "\"#\":1") + "}")),
        (AnthropicRequest, "messages", n => Anthropic(Many(n, """{"role":"user","content":"c"}""", """{"role":"assistant","content":"c"}"""))),
        (AnthropicRequest, "blocks", n =>
            Anthropic("""{"role":"user","content":[""" + Many(n, """{"type":"text","text":"c","cache_control":{"type":"ephemeral"}}""", """{"type":"zz"}""") + "]}")),
        (AnthropicRequest, "system blocks", n => AnthropicWith("\"system\":[" + Many(n, """{"type":"text","text":"c"}""") + "]")),
        (AnthropicRequest, "calls and results", n =>
            Anthropic("""{"role":"assistant","content":[""" + Many(n, """{"type":"tool_use","id":"t#","name":"f","input":{"a":1}}""") + """]},{"role":"user","content":[""" + Many(n, """{"type":"tool_result","tool_use_id":"t#","content":[{"type":"text","text":"r"}]}""") + "]}")),
        (AnthropicRequest, "thinking", n =>
            Anthropic("""{"role":"assistant","content":[""" + Many(n, """{"type":"redacted_thinking","data":"d"}""", """{"type":"thinking","thinking":"h","signature":"s"}""") + "]}")),
        (AnthropicRequest, "tools", n =>
            AnthropicWith("\"tools\":[" + Many(n, """{"name":"f#","zz":1,"input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}""") + "]")),
        (AnthropicRequest, "unknown fields", n => AnthropicWith(Many(n, "\"zz#\":#"))),
        ("openai-chat whole", "choices", n =>
            """{"id":"1","choices":[""" + Many(n, """{"index":#,"message":{"role":"assistant","content":"c"},"finish_reason":"stop"}""") + "]}"),
        ("openai-chat whole", "calls", n =>
            OpenAIWhole("\"tool_calls\":[" + Many(n, """{"id":"a b#","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}""") + "]")),
        ("openai-chat whole", "citations", n =>
            OpenAIWhole("\"content\":\"" + Repeat(n, "ü") + "\",\"annotations\":[" + Many(n, """{"type":"url_citation","url_citation":{"start_index":#,"end_index":#,"url":"u","title":"t"}}""") + "]")),
        ("openai-chat whole", "reasoning", n =>
            OpenAIWhole("\"content\":\"c\",\"reasoning_details\":[" + Many(n, """{"type":"reasoning.text","text":"h","signature":"s#","index":#}""") + "]")),
        ("openai-chat whole,openai-chat error", "unknown fields", n => OpenAIWhole(Many(n, "\"zz#\":#"))),
        ("anthropic-messages whole", "blocks", n =>
            AnthropicWhole(Many(n, """{"type":"thinking","thinking":"h","signature":"s"}""", """{"type":"text","text":"c","citations":[{"type":"char_location","cited_text":"c","document_index":0}]}""", """{"type":"tool_use","id":"t#","name":"f","input":{"a":1}}"""))),
        ("anthropic-messages whole,anthropic-messages error", "unknown blocks and fields", n => AnthropicWhole(Many(n, """{"type":"zz#"}"""), Many(n, "\"zz#\":#"))),
        (OpenAIStream, "text", n => Lines(n, """{"id":"1","choices":[{"index":0,"delta":{"content":"c"}}]}""") + Done),
        (OpenAIStream, "calls", n =>
            Lines(n, """{"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":#,"id":"a b#","function":{"name":"f","arguments":"{}"}}]}}]}""") + Done),
        (OpenAIStream, "calls by turns", n =>
            Lines(n, """{"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":#,"id":"c#","function":{"name":"f","arguments":"{"}}]}}]}""") + Lines(n, """{"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":#,"function":{"arguments":"}"}}]}}]}""") + Done),
        (OpenAIStream, "arguments", n =>
            Lines(1, """{"id":"1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}}]}""") + Lines(n, """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1"}}]}}]}""") + Done),
        (OpenAIStream, "choices and unknown fields", n => Lines(n, """{"id":"1","zz#":1,"choices":[{"index":#,"delta":{"content":"c","yy#":2}}]}""") + Done),
        (OpenAIStream, "lines of one event", n =>
            """data: {"id":"1","choices":[{"index":0,"delta":{"content":"c","a":[0""" + Repeat(n, "\ndata: ,0") + "\ndata: ]}}]}\n\n" + Done),
        (OpenAIStream, "comments and blank lines", n => Repeat(n, ": c\r\r\n\n\n") + Done),
        (AnthropicStreams, "blocks", n =>
            AnthropicStream(Lines(n, """{"type":"content_block_start","index":#,"content_block":{"type":"tool_use","id":"t#","name":"f","input":{}}}""", """{"type":"content_block_delta","index":#,"delta":{"type":"input_json_delta","partial_json":"{}"}}""", """{"type":"content_block_stop","index":#}"""))),
        (AnthropicStreams, "blocks left open", n =>
            AnthropicStream(Lines(n, """{"type":"content_block_start","index":#,"zz#":1,"content_block":{"type":"text","text":"c"}}"""))),
        (AnthropicStreams, "text and citations", n =>
            AnthropicStream(Lines(1, """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""") + Lines(n, """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"c"}}""", """{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"c"}}}"""))),
        .. GeminiShapes(),
        ("schema", "properties", n =>
            """{"type":"object","properties":{""" + Many(n, """ "p#":{"type":"integer"}""") + """},"required":[""" + Many(n, "\"p#\"") + "]}\n{" + Many(n, "\"p#\":1") + "}"),
        ("schema", "listed values", n => """{"items":{"enum":[""" + Many(n, "\"v#\"") + "]}}\n[" + Many(n, "\"v#\"") + "]"),
        ("schema", "listed numbers", n => """{"items":{"enum":[""" + Many(n, "#") + "]}}\n[" + Many(n, "#.0") + "]"),
        ("schema", "items below a long name", n =>
            """{"additionalProperties":{"items":{"anyOf":[{"type":"string"},{"type":"integer"}]}}}""" + "\n{\"" + Repeat(n * 10, "x") + "\":[" + Many(n, "#") + "]}"),
        ("schema", "steps of a reference", n => """{"items":{"$ref":"#/""" + Repeat(n, "a/") + "b\"}}\n[" + Many(n, "1") + "]"),
        ("schema", "items held to a pattern", n => """{"items":{"pattern":"^(a|b)*[0-9]*c$"}}""" + "\n[" + Many(n, "\"ab#c\"") + "]"),
    ];

    private static readonly (string Targets, string What, Func<int, string> Make)[] s_converseShapes =
    [
        (ConverseRequest, "blocks", n =>
            Converse("""{"role":"user","content":[""" + Many(n, """{"text":"c"}""", """{"cachePoint":{"type":"default"}}""", """{"zz":{"a":1}}""") + "]}")),
        (ConverseRequest, "documents of one name", n =>
            Converse("""{"role":"user","content":[""" + Many(n, """{"document":{"format":"txt","name":"a b","source":{"bytes":"aGk="}}}""") + "]}")),
        (ConverseRequest, "calls and results", n =>
            Converse("""{"role":"assistant","content":[""" + Many(n, """{"toolUse":{"toolUseId":"t#","name":"f","input":{"a":1}}}""") + """]},{"role":"user","content":[""" + Many(n, """{"toolResult":{"toolUseId":"t#","content":[{"json":{"a":1}}]}}""") + "]}")),
        ("bedrock-converse whole", "blocks", n =>
            """{"output":{"message":{"role":"assistant","content":[""" + Many(n, """{"text":"c"}""", """{"toolUse":{"toolUseId":"t#","name":"f","input":{"a":1}}}""", """{"zz":1}""") + """]}},"stopReason":"end_turn","usage":{}}"""),
    ];

    /// <summary>The same for Ollama's and Cohere's chat.</summary>
    private static readonly (string Targets, string What, Func<int, string> Make)[] s_plainShapes =
    [
        (OllamaRequest, "calls and results", n =>
            Plain("""{"role":"assistant","content":"","tool_calls":[""" + Many(n, """{"function":{"name":"f#","arguments":{"a":1}}}""") + "]}," + Many(n, """{"role":"tool","tool_name":"f#","content":"r"}""", """{"role":"tool","content":"r"}"""))),
        (OllamaRequest, "reasoning and pictures", n =>
            Plain("""{"role":"user","content":"c","images":[""" + Many(n, "\"iVBORw0KGgo=\"") + """]},{"role":"assistant","content":"c","thinking":"h","thinking_details":[""" + Many(n, """{"text":"h","signature":"ballast-thinking:other:s"}""") + "]}")),
        (CohereRequest, "messages and documents", n =>
            Plain(Many(n, """{"role":"user","content":[{"type":"text","text":"c"}]}""", """{"role":"assistant","tool_plan":"p","tool_calls":[{"id":"i#","type":"function","function":{"name":"f.#","arguments":"{}"}}]}""", """{"role":"tool","tool_call_id":"i#","content":"r"}"""), "\"documents\":[" + Many(n, """{"id":"d#","data":{"text":"t","zz#":1}}""") + "]")),
        ("ollama-chat stream", "text and calls", n =>
            Many(n, """{"message":{"role":"assistant","content":"c"},"done":false}""", """{"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f#","arguments":{"a":1}}}]},"done":false}""").Replace("},{\"message", "}\n{\"message", StringComparison.Ordinal) + "\n{\"done\":true}\n"),
        ("cohere-chat whole", "citations", n =>
            """{"id":"1","message":{"role":"assistant","content":[{"type":"text","text":""" + "\"" + Repeat(n, "\U0001F331") + "\"}],\"citations\":[" + Many(n, """{"start":#,"end":#,"text":"c","sources":[{"type":"document","id":"d","document":{"url":"u"}}]}""") + """]},"finish_reason":"COMPLETE"}"""),
        ("cohere-chat stream,sse", "blocks and calls", n =>
            Lines(n, """{"type":"content-start","index":#,"delta":{"message":{"content":{"type":"text","text":"c"}}}}""", """{"type":"content-end","index":#}""", """{"type":"tool-call-start","index":#,"delta":{"message":{"tool_calls":{"id":"i#","type":"function","function":{"name":"f","arguments":""}}}}}""", """{"type":"tool-call-end","index":#}""") + Lines(1, """{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}""") + Done),
    ];

    private static IEnumerable<(string Targets, string What, Func<int, string> Make)> AllShapes => [.. s_shapes, .. s_converseShapes, .. s_plainShapes];

    public static TheoryData<string, string> Shapes() =>
        [.. AllShapes.SelectMany(shape => shape.Targets.Split(',').Select(target => new TheoryDataRow<string, string>(target, shape.What)))];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Read_SixteenTimesTheInput_TakesNotItsSquareInTime(string target, string what)
    {
        Action<byte[], IReadOnlyList<Protocol>> write = FuzzTargets.All.Single(one => one.Name == target).Run;
        Action<byte[]> run = body => write(body, ProtocolList.All);
        Func<int, string> make = AllShapes.First(shape => shape.What == what && shape.Targets.Split(',').Contains(target)).Make;
        byte[] small = Encoding.UTF8.GetBytes(make(Small));
        byte[] large = Encoding.UTF8.GetBytes(make(Small * Growth));
        List<string> rounds = [];
        for (int round = 0; round < RoundsMax; round++)
        {
            TimeSpan some = Time(run, small);
            TimeSpan many = Time(run, large);
            if (many <= (some > s_least ? some : s_least) * TimesMax)
            {
                return;
            }

            rounds.Add($"{small.Length} bytes took {some.TotalMilliseconds:F1} ms, {large.Length} bytes {many.TotalMilliseconds:F0} ms");
        }

        Assert.Fail(string.Join('\n', rounds));
    }

    private static TimeSpan Time(Action<byte[]> run, byte[] body)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            run(body);
        }
        catch (ProtocolException)
        {
            // Refused, as a platform may refuse it: in the time it took.
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>So many items in turn, where <c>#</c> is the number of each.</summary>
    private static string Many(int count, params string[] items) => string.Join(',', Enumerable.Range(0, count).Select(i => Numbered(items[i % items.Length], i)));

    /// <summary>So many times these events, where <c>#</c> is the number of the time.</summary>
    private static string Lines(int count, params string[] items) =>
        string.Concat(Enumerable.Range(0, count).SelectMany(i => items.Select(item => $"data: {Numbered(item, i)}\n\n")));

    private static string Numbered(string item, int number) => item.Replace("#", number.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static string Repeat(int count, string text) => string.Concat(Enumerable.Repeat(text, count));

    private static string OpenAI(string messages) => """{"model":"m","messages":[""" + messages + "]}";

    private static string Plain(string messages, string more = "\"zz\":1") => """{"model":"m","messages":[""" + messages + "]," + more + "}";

    private static string OpenAIWith(string fields) => """{"model":"m","messages":[{"role":"user","content":"go"}],""" + fields + "}";

    private static string Anthropic(string messages) => """{"model":"m","max_tokens":9,"messages":[""" + messages + "]}";

    private static string Converse(string messages) => """{"messages":[""" + messages + "]}";

    private static string AnthropicWith(string fields) => """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"}],""" + fields + "}";

    private static string OpenAIWhole(string fields) => """{"id":"1","choices":[{"index":0,"message":{"role":"assistant",""" + fields + """},"finish_reason":"stop"}]}""";

    private static string AnthropicWhole(string blocks, string more = "\"usage\":{}") =>
        """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[""" + blocks + """],"stop_reason":"end_turn",""" + more + "}";

    private static string AnthropicStream(string events) =>
        """data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}"""
        + "\n\n" + events + """data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}""" + "\n\ndata: {\"type\":\"message_stop\"}\n\n";

    private static (string Targets, string What, Func<int, string> Make)[] GeminiShapes() =>
    [
        (GeminiRequest, "parts and signatures", n =>
            Gemini("""{"role":"model","parts":[""" + Many(n, """{"text":"c","thoughtSignature":"cw=="}""", """{"text":"h","thought":true}""") + "]}")),
        (GeminiRequest, "calls and results", n =>
            Gemini("""{"role":"model","parts":[""" + Many(n, """{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"cw=="}""") + """]},{"role":"user","parts":[""" + Many(n, """{"functionResponse":{"name":"f","response":{"output":"r"}}}""") + "]}")),
        ("gemini whole", "parts", n => GeminiWhole(Many(n, """{"text":"c","thoughtSignature":"cw=="}""", """{"functionCall":{"name":"f","args":{"a":1}}}""", """{"zz":1}"""), "")),
        ("gemini whole", "references", n =>
            GeminiWhole("""{"text":"x""" + Repeat(n, "ü") + "\"}", ""","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}],"groundingSupports":[""" + Many(n, """{"segment":{"startIndex":#,"endIndex":#},"groundingChunkIndices":[0]}""") + "]}")),
        ("gemini stream", "elements of an array", n => "[" + Many(n, GeminiWhole("""{"text":"c"}""", "")) + "]"),
    ];

    private static string Gemini(string contents) => "{\"contents\":[" + contents + "]}";

    private static string GeminiWhole(string parts, string more) =>
        "{\"responseId\":\"r\",\"candidates\":[{\"content\":{\"parts\":[" + parts + "]},\"finishReason\":\"STOP\"" + more + "}]}";
}
