using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Fuzz;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Invariants;

/// <summary>What holds of every request on its way to either protocol.</summary>
public partial class RequestInvariantTests
{
    private const string Canary = "cAnArY7";

    /// <summary>The same where a protocol takes bytes.</summary>
    private static readonly string s_canaryBytes = Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary));

    private const long CanaryNumber = 770_077;

    /// <summary>Words that choose a form rather than carry content: another word there makes another request.</summary>
    private static readonly HashSet<string> s_forms = ["type", "role", "model", "anthropic_version"];

    // A tree of nodes cannot hold a name twice.
    public static TheoryData<string> Requests() =>
        [.. WireFile.Names().Where(name => WireFile.Load(name).Has("request") && !name.Contains("duplicate", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Requests))]
    public void WriteRequest_CanaryInEveryLeaf_ArrivesOrIsNamedAsLost(string name)
    {
        WireFile file = WireFile.Load(name);
        string json = file.Body("request")!;
        List<string> faults = [];
        foreach (string pointer in Leaves(JsonNode.Parse(json)!, ""))
        {
            Plant(file, json, pointer, isNew: false, faults);
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void WriteRequest_UnknownFieldInEveryObject_ArrivesOrIsNamedAsLost(string name)
    {
        WireFile file = WireFile.Load(name);
        string json = file.Body("request")!;
        List<string> faults = [];
        foreach (string pointer in Objects(JsonNode.Parse(json)!, ""))
        {
            Plant(file, json, pointer + "/zz_new", isNew: true, faults);
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void WriteRequest_FlagTurned_ChangesWhatIsWrittenOrIsNamedAsLost(string name)
    {
        WireFile file = WireFile.Load(name);
        string json = file.Body("request")!;
        Protocol source = ProtocolList.Find(file.ProtocolName)!;
        Assert.NotNull(source.ReadRequest(Encoding.UTF8.GetBytes(json), file.Address)); // else nothing is asked here, and in the tests above
        List<string> faults = [];
        foreach (string pointer in Flags(JsonNode.Parse(json)!, ""))
        {
            (List<string>? Written, List<string>[] Named) yes = WithFlag(source, file, json, pointer, true);
            (List<string>? Written, List<string>[] Named) no = WithFlag(source, file, json, pointer, false);
            for (int i = 0; yes.Written is not null && no.Written is not null && i < ProtocolList.All.Count; i++)
            {
                bool isNamed = yes.Named[i].Concat(no.Named[i]).Any(named => named == pointer || pointer.StartsWith(named + "/", StringComparison.Ordinal));
                if (yes.Written[i] == no.Written[i] && !isNamed && !IsElsewhere(pointer, JsonNode.Parse(json)!))
                {
                    faults.Add($"to {ProtocolList.All[i].Name}: {pointer} makes no difference, and is not named");
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>
    /// What the address says, or Ballast itself sees to: whether an answer is streamed, tells its tokens, is padded or kept. Schemas of answers are enforced wherever they go, and
    /// where no tool may be called, none is called beside another.
    /// </summary>
    private static bool IsElsewhere(string pointer, JsonNode root) =>
        pointer is "/stream" or "/store" or "/stream_options/include_usage" or "/stream_options/include_obfuscation" or "/response_format/json_schema/strict" or "/text/format/strict"
        || (pointer == "/parallel_tool_calls" && root["tool_choice"] is JsonValue choice && choice.TryGetValue(out string? word) && word == "none");

    private static IEnumerable<string> Flags(JsonNode? node, string pointer) => node switch
    {
        JsonObject fields => fields.SelectMany(field => Flags(field.Value, $"{pointer}/{Escape(field.Key)}")),
        JsonArray items => items.SelectMany((item, i) => Flags(item, $"{pointer}/{i}")),
        JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => [pointer],
        _ => [],
    };

    /// <summary>The request with a flag set, in each protocol, and what each names as lost; nothing where it is refused so.</summary>
    private static (List<string>? Written, List<string>[] Named) WithFlag(Protocol source, WireFile file, string json, string pointer, bool value)
    {
        JsonNode root = JsonNode.Parse(json)!;
        string[] steps = [.. pointer.Split('/').Skip(1).Select(step => step.Replace("~1", "/").Replace("~0", "~"))];
        JsonNode at = root;
        foreach (string step in steps[..^1])
        {
            at = at is JsonArray array ? array[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : at[step]!;
        }

        if (at is JsonArray items)
        {
            items[int.Parse(steps[^1], System.Globalization.CultureInfo.InvariantCulture)] = value;
        }
        else
        {
            at[steps[^1]] = value;
        }

        List<string> written = [];
        List<List<string>> named = [];
        try
        {
            ChatRequest request = source.ReadRequest(Encoding.UTF8.GetBytes(root.ToJsonString()), file.Address);
            foreach (Protocol target in ProtocolList.All)
            {
                ArrayBufferWriter<byte> output = new();
                LossReport losses = new();
                target.WriteRequest(request, FuzzTargets.Target(target.NativeIssuer ?? "openai", hasAll: true), losses, output);
                written.Add(Encoding.UTF8.GetString(output.WrittenSpan));
                named.Add([.. losses.Losses.Select(loss => loss.Pointer)]);
            }
        }
        catch (ProtocolException)
        {
            return (null, []);
        }

        return (written, [.. named]);
    }

    private static void Plant(WireFile file, string json, string pointer, bool isNew, List<string> faults)
    {
        Protocol source = ProtocolList.Find(file.ProtocolName)!;
        JsonNode root = JsonNode.Parse(json)!;
        string[] steps = [.. pointer.Split('/').Skip(1).Select(step => step.Replace("~1", "/").Replace("~0", "~"))];
        JsonNode at = root;
        foreach (string step in steps[..^1])
        {
            at = at is JsonArray array ? array[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : at[step]!;
        }

        string last = steps[^1];
        JsonNode? old = isNew ? null : at is JsonArray list ? list[int.Parse(last, System.Globalization.CultureInfo.InvariantCulture)] : at[last];
        JsonNode planted = old?.GetValueKind() == JsonValueKind.Number ? JsonValue.Create(CanaryNumber) : JsonValue.Create(Canary);
        if (at is JsonArray items)
        {
            items[int.Parse(last, System.Globalization.CultureInfo.InvariantCulture)] = planted;
        }
        else
        {
            at[last] = planted;
        }

        ChatRequest request;
        try
        {
            request = source.ReadRequest(Encoding.UTF8.GetBytes(root.ToJsonString()), file.Address);
        }
        catch (ProtocolException)
        {
            return; // A word that chooses among forms: refused, not lost.
        }

        foreach (Protocol target in ProtocolList.All)
        {
            ArrayBufferWriter<byte> output = new();
            LossReport losses = new();
            target.WriteRequest(request, FuzzTargets.Target(target.NativeIssuer ?? "openai", hasAll: true), losses, output);
            string written = Encoding.UTF8.GetString(output.WrittenSpan);
            bool arrived = written.Contains(planted is JsonValue value && value.TryGetValue(out long _) ? "770077" : Canary, StringComparison.Ordinal) || written.Contains(s_canaryBytes, StringComparison.Ordinal);
            bool isNamed = losses.Losses.Any(loss => loss.Pointer == pointer || pointer.StartsWith(loss.Pointer + "/", StringComparison.Ordinal));
            if (!arrived && !isNamed && !IsReworded(pointer, root, written))
            {
                faults.Add($"to {target.Name}: {pointer} vanished; named: {WireFile.LossText(losses).Replace('\n', ' ')}");
            }
        }
    }

    /// <summary>Figures and words for which the other protocol has a coarser word of its own, which stands in the output instead.</summary>
    private static bool IsReworded(string pointer, JsonNode root, string written) =>
        pointer.EndsWith("/thinking/budget_tokens", StringComparison.Ordinal) || pointer == "/thinking/token_budget" ? written.Contains("effort\":", StringComparison.Ordinal) || written.Contains("\"thinkingLevel\":", StringComparison.Ordinal)
        : pointer.EndsWith("/thinkingBudget", StringComparison.Ordinal) ? written.Contains("effort\":", StringComparison.OrdinalIgnoreCase)
        : pointer.EndsWith("/thinkingLevel", StringComparison.Ordinal) ? written.Contains($"\"{Canary}\"", StringComparison.OrdinalIgnoreCase)
        : root["input"] is not null && KeptByBallast().IsMatch(pointer);

    /// <summary>Handle and state of an item belong to whoever keeps it; labels are repeated to the caller whoever answers.</summary>
    [GeneratedRegex("^/metadata/|^/input/[0-9]+/(id|status)$")]
    private static partial Regex KeptByBallast();

    private static IEnumerable<string> Leaves(JsonNode? node, string pointer) => node switch
    {
        JsonObject fields => fields.Where(field => !s_forms.Contains(field.Key)).SelectMany(field => Leaves(field.Value, $"{pointer}/{Escape(field.Key)}")),
        JsonArray items => items.SelectMany((item, i) => Leaves(item, $"{pointer}/{i}")),
        JsonValue value when value.GetValueKind() is JsonValueKind.String or JsonValueKind.Number => [pointer],
        _ => [],
    };

    private static IEnumerable<string> Objects(JsonNode? node, string pointer) => node switch
    {
        JsonObject fields => fields.SelectMany(field => Objects(field.Value, $"{pointer}/{Escape(field.Key)}")).Prepend(pointer),
        JsonArray items => items.SelectMany((item, i) => Objects(item, $"{pointer}/{i}")),
        _ => [],
    };

    private static string Escape(string key) => key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    [Fact]
    public void SpliceRequest_UnknownFields_LeavesEveryOtherByte()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            Dice dice = new(seed);
            string unknown = $"\"zz\":[1, 2.50 ,{{\"a\":\"{JsonTree.Escape(dice.Text())}\"}}],\n \"temperature\" : 1.00";
            foreach (Protocol protocol in ProtocolList.All)
            {
                bool isGemini = protocol == ProtocolList.Gemini;
                bool isInAddress = protocol.Framing == StreamFraming.EventStream;
                string turns = isGemini ? "\"contents\"" : "\"messages\"";
                string body = $"{{ {unknown}, \"max_tokens\":5,\"{(isInAddress ? "zz_model" : "model")}\" : \"m\u00e9\" ,{turns}:[{{\"role\":\"user\",\"content\":\"x\"}}] }}";
                ArrayBufferWriter<byte> output = new();
                protocol.SpliceRequest(protocol.Peek(Encoding.UTF8.GetBytes(body), Addresses.Of(protocol.Name, "asked")), FuzzTargets.Target("openai", hasAll: true), output);
                // The one protocol with state asks its vendor to keep none.
                string state = protocol == ProtocolList.OpenAIResponses ? ",\"store\":false" : "";
                Assert.Equal(isInAddress ? body : body.Replace("\"m\u00e9\"", isGemini ? "\"models/target\"" : $"\"target\"{state}"), Encoding.UTF8.GetString(output.WrittenSpan));
            }
        }
    }

    [Fact]
    public void WriteRequest_ParallelToolsWithNastyIds_KeepsPairsAndGroups()
    {
        string[] ids = ["call_1", "call.b/2", "функция", "a b", "a.b", "call_1 ", new string('i', 90), "x|y", "ÿ"];
        for (int seed = 0; seed < 500; seed++)
        {
            Dice dice = new(seed);
            string[] used = [.. ids.OrderBy(_ => dice.Below(1000)).Take(1 + dice.Below(5))];
            int turns = 1 + dice.Below(3);
            StringBuilder messages = new("{\"role\":\"user\",\"content\":\"go\"}");
            for (int turn = 0; turn < turns; turn++)
            {
                messages.Append(",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[").AppendJoin(
                    ',', used.Select(id => $"{{\"id\":{Quote(id)},\"type\":\"function\",\"function\":{{\"name\":\"f\",\"arguments\":{Quote($"{{\"of\":{Quote(id)}}}")}}}}}")).Append("]}");
                foreach (string id in used.OrderBy(_ => dice.Below(1000)))
                {
                    messages.Append($",{{\"role\":\"tool\",\"tool_call_id\":{Quote(id)},\"content\":{Quote("of " + id)}}}");
                }
            }

            byte[] body = Encoding.UTF8.GetBytes($"{{\"model\":\"m\",\"messages\":[{messages}]}}");
            JsonArray written = Write(ProtocolList.OpenAIChat, ProtocolList.AnthropicMessages, body);
            CheckAnthropic(written, used.Length, turns, $"seed {seed}");

            // And back: what the other side names its calls is what comes in again.
            byte[] back = Encoding.UTF8.GetBytes($"{{\"model\":\"m\",\"max_tokens\":9,\"messages\":{written.ToJsonString()}}}");
            CheckOpenAI(Write(ProtocolList.AnthropicMessages, ProtocolList.OpenAIChat, back), used.Length, turns, $"seed {seed}");
        }
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text, JsonSerializerOptions.Default);

    private static JsonArray Write(Protocol source, Protocol target, byte[] body)
    {
        ArrayBufferWriter<byte> output = new();
        target.WriteRequest(source.ReadRequest(body), FuzzTargets.Target(target.NativeIssuer ?? "openai", hasAll: true), new LossReport(), output);
        return JsonNode.Parse(output.WrittenSpan)!["messages"]!.DeepClone().AsArray();
    }

    private static void CheckAnthropic(JsonArray messages, int calls, int turns, string place)
    {
        Assert.Equal((turns * 2) + 1, messages.Count);
        HashSet<string> seen = [];
        for (int turn = 0; turn < turns; turn++)
        {
            Dictionary<string, string> called = messages[(turn * 2) + 1]!["content"]!.AsArray()
                .ToDictionary(block => (string)block!["id"]!, block => (string)block!["input"]!["of"]!);
            JsonArray results = messages[(turn * 2) + 2]!["content"]!.AsArray();
            Assert.Equal(calls, results.Count);
            foreach (JsonNode? result in results)
            {
                string id = (string)result!["tool_use_id"]!;
                Assert.True(LegalId().IsMatch(id) && seen.Add(id), $"{place}: id {id}");
                Assert.Contains("of " + called[id], result["content"]!.ToJsonString().Length > 0 ? TextOf(result["content"]!) : "", StringComparison.Ordinal);
            }
        }
    }

    private static void CheckOpenAI(JsonArray messages, int calls, int turns, string place)
    {
        Assert.Equal((turns * (calls + 1)) + 1, messages.Count);
        for (int turn = 0; turn < turns; turn++)
        {
            int at = 1 + (turn * (calls + 1));
            Dictionary<string, string> called = messages[at]!["tool_calls"]!.AsArray().ToDictionary(
                call => (string)call!["id"]!, call => (string)JsonNode.Parse((string)call!["function"]!["arguments"]!)!["of"]!);
            for (int i = 1; i <= calls; i++)
            {
                JsonNode result = messages[at + i]!;
                Assert.True((string?)result["role"] == "tool", place);
                Assert.Equal("of " + called[(string)result["tool_call_id"]!], TextOf(result["content"]!));
            }
        }
    }

    private static string TextOf(JsonNode content) =>
        content is JsonArray parts ? string.Concat(parts.Select(part => (string?)part!["text"])) : (string)content!;

    [Fact]
    public void WriteRequest_SignedReasoning_GoesToItsIssuerOnly()
    {
        string own = """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":"SIGNED7"},{"type":"redacted_thinking","data":"SEALED7"},{"type":"text","text":"b"}]},{"role":"user","content":"c"}]}""";
        foreach (string vendor in (string[])["anthropic", "openai", "deepseek", "google"])
        {
            foreach (Protocol target in ProtocolList.All)
            {
                ArrayBufferWriter<byte> output = new();
                target.WriteRequest(ProtocolList.AnthropicMessages.ReadRequest(Encoding.UTF8.GetBytes(own)), FuzzTargets.Target(vendor, hasAll: true), new LossReport(), output);
                string written = Encoding.UTF8.GetString(output.WrittenSpan);
                bool isHome = vendor == "anthropic";
                Assert.True(isHome == written.Contains("SIGNED7", StringComparison.Ordinal), $"{vendor} by {target.Name}: {written}");
                Assert.True(isHome == (written.Contains("SEALED7", StringComparison.Ordinal) || written.Contains(Convert.ToBase64String("SEALED7"u8), StringComparison.Ordinal)), $"{vendor} by {target.Name}: {written}");
            }
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]+$")]
    private static partial Regex LegalId();
}
