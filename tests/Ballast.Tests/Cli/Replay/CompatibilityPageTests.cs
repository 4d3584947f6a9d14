using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ballast.Cli.Replay;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Sandbox;
using Ballast.Tests.Tidy;

namespace Ballast.Tests.Cli.Replay;

/// <summary>Holds <c>docs/compatibility.md</c> and the code together: what the code declares is on the page, what the page names is declared.</summary>
public sealed partial class CompatibilityPageTests
{
    private static readonly CompatibilityPage s_page = CompatibilityPage.Parse(Repository.Read("docs/compatibility.md"));

    private static readonly string[] s_forms = [WireApi.Gemini, WireApi.Converse, WireApi.Responses, WireApi.Ollama, WireApi.Cohere];

    private static string Section(string api, bool inAnswer) => ReplayJudge.Section(api, WireApi.Other(api), inAnswer);

    [Fact]
    public void Page_Embedded_IsTheOneInTheRepository() =>
        Assert.Equal(s_page.Sections.SelectMany(s_page.PointersOf), CompatibilityPage.Embedded.Sections.SelectMany(CompatibilityPage.Embedded.PointersOf));

    [Fact]
    public void Page_Sections_AreTheDirections() =>
        Assert.Equal(
            (string[])
            [
                Section(WireApi.Chat, inAnswer: false), Section(WireApi.Messages, inAnswer: false), Section(WireApi.Chat, inAnswer: true), Section(WireApi.Messages, inAnswer: true),
                ReplayJudge.Section(WireApi.Chat, WireApi.Gemini, inAnswer: false),
                .. s_forms.Select(form => Section(form, inAnswer: false)), .. s_forms.Select(form => Section(form, inAnswer: true)),
                ReplayJudge.RefusedSection,
            ],
            s_page.Sections);

    [Theory]
    [InlineData("/messages/0/content/12", "/messages/{n}/content/{n}")]
    [InlineData("/stop/3", "/stop/{n}")]
    [InlineData("/usage/p95/x1/2b", "/usage/p95/x1/2b")]
    public void General_Numbers_BecomeTheirSign(string pointer, string general) => Assert.Equal(general, CompatibilityPage.General(pointer));

    [Theory]
    [InlineData("/messages/0/content/1", true)]
    [InlineData("/messages/0/content/1/x", false)]
    [InlineData("/messages/x/content/1", false)]
    [InlineData("/temperature2", false)]
    public void Holds_Pointer_OnlyLetterForLetter(string pointer, bool isHeld) =>
        Assert.Equal(isHeld, s_page.Holds(Section(WireApi.Chat, inAnswer: false), pointer));

    /// <summary>A field that no table of the protocols knows is declared where it stood: the page's own list is the proof, field for field.</summary>
    [Theory]
    [InlineData(WireApi.Chat)]
    [InlineData(WireApi.Messages)]
    public void Fields_OfARequestThatThePageNames_AreDeclaredThere(string api)
    {
        string section = Section(api, inAnswer: false);
        string[] undeclared = [.. s_page.PointersOf(section).Where(IsPlainField).Where(pointer => !Declares(api, pointer))];
        // What these say depends on the other fields beside them, not on being there; they have tests of their own in the protocols.
        string[] conditional = api == WireApi.Chat
            ? ["/user", "/max_tokens", "/max_completion_tokens", "/safety_identifier", "/parallel_tool_calls", "/tool_choice", "/messages", "/stop", "/temperature", "/top_p", "/top_k", "/n", "/reasoning_effort", "/reasoning", "/thinking", "/seed"]
            : ["/top_k", "/tool_choice", "/thinking", "/system", "/cache_control"];
        AssertNone(undeclared.Except(conditional));
    }

    [Theory]
    [InlineData(WireApi.Chat)]
    [InlineData(WireApi.Messages)]
    public void Fields_OfAnAnswerThatThePageNames_AreDeclaredThere(string api)
    {
        string section = Section(api, inAnswer: true);
        string[] plain = [.. s_page.PointersOf(section).Where(pointer => IsPlainField(pointer) || (pointer.StartsWith("/usage/", StringComparison.Ordinal) && pointer.Count(c => c == '/') == 2))];
        Assert.NotEmpty(plain);
        AssertNone(plain.Where(pointer => !AnswerDeclares(api, pointer)));
    }

    /// <summary>Requests that hold everything the protocols know, to every kind of endpoint: nothing may be declared that the page lacks.</summary>
    [Theory]
    [InlineData(WireApi.Chat)]
    [InlineData(WireApi.Messages)]
    public void Losses_OfARequestThatHoldsEverything_AreOnThePage(string api)
    {
        string section = Section(api, inAnswer: false);
        string body = Repository.Read($"tests/Ballast.Tests/Cli/Replay/everything-{api}.json");
        HashSet<string> declared = [];
        foreach (TargetFeatures features in (TargetFeatures[])[TargetFeatures.None, (TargetFeatures)int.MaxValue, TargetFeatures.JsonSchema, (TargetFeatures)int.MaxValue & ~TargetFeatures.AdaptiveThinking])
        {
            foreach (string vendor in (string[])["openai", "anthropic", "meta"])
            {
                declared.UnionWith(LossesOf(api, body, features, vendor));
            }
        }

        Assert.True(declared.Count > 25, $"only {declared.Count}: {string.Join(' ', declared)}");
        AssertNone(declared.Where(pointer => !s_page.Holds(section, pointer)));
    }

    /// <summary>Pointers that stand in the protocols' own words, not the caller's.</summary>
    [Fact]
    public void Losses_WithAPointerWrittenInTheCode_AreOnThePage()
    {
        string[] all = [.. s_page.Sections.SelectMany(s_page.PointersOf)];
        string[] written =
        [
            .. Repository.ProductFiles.Where(file => file.Path.StartsWith("src/Ballast.Protocols/", StringComparison.Ordinal))
                .SelectMany(file => WrittenPointer().Matches(Repository.Read(file.Path)).Select(match => match.Groups[1].Value)).Distinct(),
        ];

        Assert.NotEmpty(written);
        AssertNone(written.Where(pointer => !all.Contains(CompatibilityPage.General(pointer))));
    }

    private static void AssertNone(IEnumerable<string> pointers) => Assert.Equal("", string.Join(' ', pointers));

    private static bool IsPlainField(string pointer) => pointer.LastIndexOf('/') == 0;

    private static bool Declares(string api, string pointer)
    {
        JsonObject body = JsonNode.Parse("""{"model":"m","messages":[{"role":"user","content":"Hello"}]}""")!.AsObject();
        body[pointer[1..].Replace("~1", "/", StringComparison.Ordinal)] = pointer switch
        {
            "/response_format" => JsonNode.Parse("""{"type":"json_object"}"""),
            "/output_format" => JsonNode.Parse("""{"type":"other"}"""),
            "/temperature" or "/presence_penalty" or "/frequency_penalty" => JsonValue.Create(1.5),
            "/n" or "/seed" => JsonValue.Create(2),
            _ => JsonNode.Parse("""{"some":"thing"}"""),
        };
        try
        {
            return LossesOf(api, body.ToJsonString(), TargetFeatures.JsonSchema, "meta").Contains(pointer);
        }
        catch (ProtocolException)
        {
            // Of another type than it may be: one of those whose loss depends on what it says.
            return false;
        }
    }

    private static HashSet<string> LossesOf(string api, string body, TargetFeatures features, string vendor)
    {
        (Protocol from, Protocol to) = api == WireApi.Chat
            ? (ProtocolList.OpenAIChat, ProtocolList.AnthropicMessages) : (ProtocolList.AnthropicMessages, ProtocolList.OpenAIChat);
        LossReport losses = new();
        to.WriteRequest(from.ReadRequest(Encoding.UTF8.GetBytes(body)), new RequestTarget { Model = "m", Vendor = vendor, Features = features }, losses, new ArrayBufferWriter<byte>());
        Assert.Equal(losses.Count, losses.Losses.Count);
        return [.. losses.Losses.Select(loss => loss.Pointer)];
    }

    private static bool AnswerDeclares(string api, string pointer)
    {
        JsonObject body = JsonNode.Parse(api == WireApi.Chat
            ? """{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"""
            : """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}""")!.AsObject();
        string name = pointer[(pointer.LastIndexOf('/') + 1)..].Replace("~1", "/", StringComparison.Ordinal);
        JsonNode value = pointer switch
        {
            "/stop_reason" => "pause_turn",
            "/stop_sequence" => "end",
            // An error of this name would be the whole answer.
            "/error" => "",
            _ => new JsonObject { ["some"] = "thing" },
        };
        (pointer.StartsWith("/usage/", StringComparison.Ordinal) ? body["usage"]!.AsObject() : body)[name] = value;
        (Protocol from, Protocol to) = api == WireApi.Chat
            ? (ProtocolList.OpenAIChat, ProtocolList.AnthropicMessages) : (ProtocolList.AnthropicMessages, ProtocolList.OpenAIChat);
        LossReport losses = new();
        ResponseReader reader = from.OpenReader(new ReaderOptions { Stream = false, Depth = ReadDepth.Everything, Vendor = "v", Losses = losses });
        ResponseWriter writer = to.OpenWriter(new WriterOptions { Stream = false, FallbackId = "f", Model = "m", CreatedUnixSeconds = 1, Losses = losses });
        ReadOnlySequence<byte> bytes = new(Encoding.UTF8.GetBytes(body.ToJsonString()));
        ArrayBufferWriter<byte> output = new();
        while (reader.TryReadFrame(ref bytes, isCompleted: true, out _, out _))
        {
            foreach (ChatEvent chatEvent in reader.Events.Where(chatEvent => chatEvent is not Failed))
            {
                writer.Write(chatEvent, output);
            }
        }

        return losses.Losses.Any(loss => loss.InResponse && loss.Pointer == pointer);
    }

    [GeneratedRegex("""(?:Add|AddInResponse|Note|Report)\(\s*\$?"(/[^"{]+)",""")]
    private static partial Regex WrittenPointer();
}
