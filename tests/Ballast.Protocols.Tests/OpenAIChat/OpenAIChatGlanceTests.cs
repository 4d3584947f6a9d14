using System.Buffers;
using System.Text;
using Ballast.Protocols.Tests.Fuzz;

namespace Ballast.Protocols.Tests.OpenAIChat;

/// <summary>What is read at a glance says the same as what is read the long way: a field that says nothing and is never usual sends the same answer there.</summary>
public class OpenAIChatGlanceTests
{
    private const string SendsTheLongWay = "{\"x_groq\":null,";

    private static readonly string[] s_messages =
    [
        "{}", "null", "[]", """{"role":"assistant","content":"Hi"}""", """{"content":""}""", """{"content":null}""", """{"content":7}""", """{"content":[{"type":"text","text":"Hi"}]}""",
        """{"content":"a\nb\"c","refusal":null}""", """{"content":null,"refusal":"No."}""", """{"content":"a","refusal":"b"}""", """{"reasoning_content":"Hm","content":""}""",
        """{"reasoning":"Hm","content":"a"}""", """{"reasoning":"Hm","reasoning_content":"Hm"}""", """{"reasoning":"Hm!","reasoning_content":""}""",
        """{"reasoning_content":null,"reasoning":"Hm"}""", """{"reasoning_details":[{"type":"reasoning.text","text":"Hm"}],"reasoning":"Hm"}""", """{"reasoning_details":null,"content":"a"}""",
        """{"tool_calls":[],"content":"a"}""", """{"tool_calls":null,"content":"a"}""", """{"content":"a","tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}""",
        """{"function_call":{"name":"f","arguments":"{}"}}""", """{"function_call":null,"content":"a"}""", """{"content":"a","content":"bcd"}""", """{"c\u006fntent":"a"}""", """{"content":"a","annotations":[]}""",
        """{"content":"日本語","reasoning_content":"é"}""", """{"refusal":7,"content":"a"}""",
    ];

    private static readonly string[] s_finishes = ["null", "\"stop\"", "\"\"", "\"length\"", "\"tool_calls\"", "\"error\"", "\"eos\"", "\"st\\u006fp\"", "7", "{}"];

    private static readonly string[] s_ends =
    [
        "", ",\"usage\":null", ",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}", ",\"usage\":{}", ",\"usage\":7", ",\"usage\":{\"prompt_tokens\":\"3\",\"completion_tokens\":4.0}",
        ",\"error\":null", ",\"error\":{\"message\":\"no\"}", ",\"error\":false", ",\"error\":\"\"", ",\"object\":\"error\"", ",\"object\":\"chat.completion\"", ",\"id\":\"b\"", ",\"model\":null", ",\"model\":\"\\u006d\"",
    ];

    public static TheoryData<bool> Forms() => [true, false];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_AnyCompletion_SaysTheSameBothWays(bool stream)
    {
        string field = stream ? "delta" : "message";
        foreach (string message in s_messages)
        {
            foreach (string finish in s_finishes)
            {
                foreach (string end in s_ends)
                {
                    string choice = $$"""{"index":0,"{{field}}":{{message}},"finish_reason":{{finish}}}""";
                    Compare($$"""{"id":"a","model":"m","choices":[{{choice}}]{{end}}}""", stream);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_OddChoices_SayTheSameBothWays(bool stream)
    {
        foreach (string choices in (string[])["[]", "null", "{}", "[null]", "[7]", "[[]]", "[{}]", "[{\"index\":1,\"delta\":{\"content\":\"a\"}}]", "[{\"index\":1,\"message\":{\"content\":\"a\"}}]",
            "[{\"index\":0.0,\"delta\":{\"content\":\"a\"}}]", "[{\"index\":\"0\",\"message\":{\"content\":\"a\"}}]", "[{\"message\":{\"content\":\"a\"}},{\"index\":1,\"message\":{\"content\":\"bc\"}}]",
            "[{\"delta\":{\"content\":\"a\"},\"message\":{\"content\":\"abc\"}}]", "[{\"message\":{\"content\":\"abc\"},\"delta\":{\"content\":\"a\"}}]", "[{\"delta\":{\"content\":\"a\"},\"delta\":{\"content\":\"abc\"}}]",
            "[{\"message\":{\"content\":\"a\"},\"message\":{\"content\":\"abc\"}}]", "[{\"finish_reason\":\"stop\",\"finish_reason\":null,\"message\":{}}]"])
        {
            foreach (string end in s_ends)
            {
                foreach (string start in (string[])["", "\"id\":\"\",", "\"id\":\"a\",\"model\":\"m\","])
                {
                    Compare($"{{{start}\"choices\":{choices}{end}}}", stream);
                    Compare($"{{{start}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"x\"}},\"message\":{{\"content\":\"x\"}}}}],\"choices\":{choices}{end}}}", stream);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Read_BentCompletions_SayTheSameBothWays(bool stream)
    {
        string[] seeds =
        [
            """{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" token","reasoning":"Hm"},"logprobs":null,"finish_reason":null}],"usage":null}""",
            """{"id":"a","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null,"tool_calls":[]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":1}}}""",
        ];
        for (int seed = 0; seed < 20_000; seed++)
        {
            Dice dice = new(seed);
            string json = Mutant.OfJson(dice, dice.Pick(seeds), 1 + dice.Below(3));
            if (json.StartsWith("{\"", StringComparison.Ordinal))
            {
                Compare(json, stream);
            }
        }
    }

    private static void Compare(string json, bool stream)
    {
        string glance = Read(json, stream);
        string longWay = Read(SendsTheLongWay + json[1..], stream);
        Assert.True(glance == longWay, $"{json}\nglance: {glance}\nlong:   {longWay}");
    }

    private static string Read(string json, bool stream)
    {
        ResponseReader reader = ProtocolList.OpenAIChat.OpenReader(
            new ReaderOptions { Stream = stream, Depth = ReadDepth.UsageOnly, Vendor = "openai", WithholdUsage = true });
        ReadOnlySequence<byte> bytes = new(Encoding.UTF8.GetBytes(stream ? $"data: {json}\n\ndata: [DONE]\n\n" : json));
        StringBuilder told = new();
        try
        {
            while (reader.TryReadFrame(ref bytes, isCompleted: true, out _, out FrameSignals signals))
            {
                told.Append(signals).Append('|');
            }
        }
        catch (ProtocolException broken)
        {
            return $"{told}{broken.Message}";
        }

        return $"{told}{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.ContentLength} {reader.Usage} {reader.Error?.Kind} {reader.IsEnded}";
    }
}
