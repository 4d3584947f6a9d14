using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Configuration;
using Ballast.Guards.Redaction;
using Ballast.Protocols;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>Several answers in one stream: each field of each answer is treated as the same field of the whole answer, however the pieces fall and take turns.</summary>
public sealed class AnswerFramesTests
{
    private const int Seed = 9_311;
    private static readonly JsonSerializerOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly RedactionPolicy[] s_policies =
    [
        RedactionPolicy.Of(new RedactionOptions { Kinds = RedactionOptions.AllKinds, RedactsAnswers = true }, "one"),
        RedactionPolicy.Of(new RedactionOptions { Kinds = RedactionOptions.AllKinds }, "two"),
        RedactionPolicy.Of(new RedactionOptions { Kinds = RedactionOptions.AllKinds, Patterns = [new("project", "[Pp]roject \\w+")], RedactsAnswers = true }, "three"),
    ];

    /// <summary>What a choice says, by the path of the field in its delta.</summary>
    private static readonly string[] s_fields =
        ["content", "reasoning_content", "refusal", "tool_calls/0/function/arguments", "tool_calls/1/function/arguments", "tool_calls/2/custom/input"];

    [Fact]
    public void Take_ChoicesInTurns_EqualTheWholeAnswerAtEveryCut() => Choices(streams: 100);

    [LongFact]
    public void Take_ChoicesInTurnsOfManyStreams_EqualTheWholeAnswerAtEveryCut() => Choices(streams: 12_000);

    [Fact]
    public void Take_CandidatesInTurns_EqualTheWholeAnswerAtEveryCut() => Candidates(streams: 100);

    [LongFact]
    public void Take_CandidatesInTurnsOfManyStreams_EqualTheWholeAnswerAtEveryCut() => Candidates(streams: 12_000);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Take_ValueHalfInOneChoiceAndHalfInAnother_IsNoneAndEachWaitsForItsOwn(bool hasFinish)
    {
        RedactionPolicy policy = s_policies[0];
        Run run = new(policy, new RedactedValues(policy), new MatchFinder(policy), isJsonOutput: false);

        string first = run.Take("""{"id":"1","choices":[{"index":0,"delta":{"content":"to mara@exam"}},{"index":1,"delta":{"content":"to nora@exam"}}],"usage":null}""");
        string second = run.Take("""{"id":"1","choices":[{"index":1,"delta":{"content":"ple.net."}}]}""");
        string third = run.Take("""{"id":"1","choices":[{"index":0,"delta":{"content":"ple.org."}}]}""");
        string end = hasFinish
            ? run.Take("""{"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"stop"}]}""")
            : run.End();

        Assert.DoesNotContain("exam", first + second + third + end, StringComparison.Ordinal);
        Assert.Equal(2, end.Split("EMAIL-").Length - 1);
        Assert.Matches("^to EMAIL-[0-9A-Z]{10}\\.$", run.Texts["0/content"]);
        Assert.Matches("^to EMAIL-[0-9A-Z]{10}\\.$", run.Texts["1/content"]);
        Assert.NotEqual(run.Texts["0/content"], run.Texts["1/content"]);
    }

    [Fact]
    public void Take_LikelihoodsOfTokens_AreLeftOutWhereTheyWouldTellTheText()
    {
        const string frame = """{"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[{"token":"mara"},{"token":"@example.org"}]}}]}""";
        string[] told = [.. s_policies[..2].Select(static policy =>
        {
            RedactedValues values = new(policy);
            values.Hide("EMAIL", "nora@example.org");
            return new Run(policy, values, new MatchFinder(policy), isJsonOutput: false).Take(frame);
        })];
        byte[] whole = new JsonScreen(s_policies[0], new RedactedValues(s_policies[0]), new MatchFinder(s_policies[0]), isAnswer: true).Run(Encoding.UTF8.GetBytes(frame)).ToArray();

        Assert.DoesNotContain("mara", told[0], StringComparison.Ordinal);
        Assert.Contains("mara", told[1], StringComparison.Ordinal);
        Assert.DoesNotContain("mara", Encoding.UTF8.GetString(whole), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""data: {"choices":[{"index":0,"delta":{"content":"a"},"delta":{"content":"b"}}]}""")]
    [InlineData("""data: {"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}""")]
    [InlineData("data: {\"choices\":[{")]
    public void Take_WhatNobodyCanSearch_IsNotPassedOn(string frame)
    {
        AnswerFrames frames = new(s_policies[0], new RedactedValues(s_policies[0]), new MatchFinder(s_policies[0]), isJsonOutput: false);
        ArrayBufferWriter<byte> output = new();

        Assert.Throws<ProtocolException>(() => frames.Take(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(frame + "\n\n")), output));
        Assert.Equal(0, output.WrittenCount);
    }

    [Fact]
    public void Take_ElementsOfAnArray_StayOne()
    {
        RedactionPolicy policy = s_policies[1];
        RedactedValues values = new(policy);
        MatchFinder finder = new(policy);
        string hidden = TextScreen.Run(policy, values, finder, ScreenMode.Hide, "mara@example.org");
        AnswerFrames frames = new(policy, values, finder, isJsonOutput: false);
        ArrayBufferWriter<byte> output = new();
        foreach (string frame in (string[])
        [
            $$"""[{"candidates":[{"content":{"parts":[{"text":"to {{hidden[..8]}}"}]},"index":1}]}""", ",\r\n",
            $$"""{"candidates":[{"content":{"parts":[{"text":"{{hidden[8..]}}"}]},"finishReason":"STOP","index":1}]}""", "]",
        ])
        {
            frames.Take(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(frame)), output);
        }

        frames.End(output);
        JsonArray told = JsonNode.Parse(output.WrittenSpan)!.AsArray();
        Assert.Equal("to mara@example.org", string.Concat(told.SelectMany(static one => one!["candidates"]![0]!["content"]!["parts"]!.AsArray()).Select(static part => (string)part!["text"]!)));
    }

    private static void Choices(int streams)
    {
        Random random = new(Seed);
        SampleValues samples = new(random);
        for (int done = 0; done < streams; done++)
        {
            RedactionPolicy policy = s_policies[random.Next(s_policies.Length)];
            bool isJsonOutput = random.Next(4) == 0;
            (RedactedValues values, MatchFinder finder) = (new RedactedValues(policy), new MatchFinder(policy));
            string hidden = TextScreen.Run(policy, values, finder, ScreenMode.Hide, TextScreenTests.TextOf(random, samples));
            JsonArray whole = [];
            List<(int Choice, string Field, Queue<string> Pieces)> said = [];
            int count = random.Next(2, 5);
            for (int choice = 0; choice < count; choice++)
            {
                JsonObject message = new() { ["role"] = "assistant" };
                foreach (string field in s_fields.Where(_ => random.Next(2) == 0))
                {
                    string text = hidden + " " + TextScreenTests.TextOf(random, samples);
                    text = field.EndsWith("arguments", StringComparison.Ordinal) || (isJsonOutput && field == "content") ? JsonSerializer.Serialize(new Dictionary<string, string> { ["note"] = text }, s_writing) : text;
                    Put(message, field, text);
                    said.Add((choice, field, Cut(text, random)));
                }

                whole.Add((JsonNode)new JsonObject { ["index"] = choice, ["message"] = message, ["finish_reason"] = "stop" });
            }

            JsonObject expected = Whole(policy, values, finder, isJsonOutput, new JsonObject { ["choices"] = whole });
            Run run = new(policy, values, finder, isJsonOutput);
            Dictionary<string, string> wanted = [];
            foreach ((int choice, string field, _) in said)
            {
                wanted[$"{choice}/{field}"] = Get(expected["choices"]![choice]!["message"]!, field);
            }

            while (said.Count > 0)
            {
                (int choice, string field, Queue<string> pieces) = said[random.Next(said.Count)];
                JsonObject delta = [];
                Put(delta, field, pieces.Dequeue());
                said.RemoveAll(static one => one.Pieces.Count == 0);
                bool isLast = said.All(one => one.Choice != choice);
                run.Take(new JsonObject { ["choices"] = new JsonArray(new JsonObject { ["index"] = choice, ["delta"] = delta, ["finish_reason"] = isLast && random.Next(4) > 0 ? "stop" : null }) }.ToJsonString(s_writing));
                AssertBeginnings(run.Texts, wanted);
            }

            run.Take("[DONE]");
            Assert.Equal(wanted.OrderBy(static one => one.Key, StringComparer.Ordinal), run.Texts.OrderBy(static one => one.Key, StringComparer.Ordinal));
        }
    }

    private static void Candidates(int streams)
    {
        Random random = new(Seed);
        SampleValues samples = new(random);
        for (int done = 0; done < streams; done++)
        {
            RedactionPolicy policy = s_policies[random.Next(s_policies.Length)];
            (RedactedValues values, MatchFinder finder) = (new RedactedValues(policy), new MatchFinder(policy));
            string hidden = TextScreen.Run(policy, values, finder, ScreenMode.Hide, TextScreenTests.TextOf(random, samples));
            Dictionary<string, string> wanted = [];
            Queue<JsonObject>[] said = [.. Enumerable.Range(0, random.Next(2, 4)).Select(_ => new Queue<JsonObject>())];
            for (int index = 0; index < said.Length; index++)
            {
                for (int part = 0; part < 3; part++)
                {
                    string text = hidden + " " + TextScreenTests.TextOf(random, samples);
                    JsonObject call = new() { ["functionCall"] = new JsonObject { ["name"] = "note", ["args"] = new JsonObject { ["text"] = text } } };
                    bool isThought = part == 0;
                    ScreenMode mode = policy.RedactsAnswers && !isThought ? ScreenMode.RestoreAndHide : ScreenMode.Restore;
                    wanted[$"{index}/{part}"] = part == 1
                        ? (string)Whole(policy, values, finder, false, call)["functionCall"]!["args"]!["text"]!
                        : TextScreen.Run(policy, values, finder, mode, text);
                    foreach (string piece in part == 1 ? [] : Cut(text, random))
                    {
                        said[index].Enqueue(isThought ? new JsonObject { ["text"] = piece, ["thought"] = true } : new JsonObject { ["text"] = piece });
                    }

                    if (part == 1)
                    {
                        said[index].Enqueue(call);
                    }
                }
            }

            Run run = new(policy, values, finder, isJsonOutput: false);
            while (said.Any(static one => one.Count > 0))
            {
                int index = random.Next(said.Length);
                if (said[index].Count == 0)
                {
                    continue;
                }

                JsonArray parts = [];
                for (int i = random.Next(1, 4); i > 0 && said[index].TryDequeue(out JsonObject? part); i--)
                {
                    parts.Add((JsonNode)part);
                }

                JsonObject candidate = new() { ["content"] = new JsonObject { ["parts"] = parts, ["role"] = "model" }, ["index"] = index };
                if (said[index].Count == 0 && random.Next(4) > 0)
                {
                    candidate["finishReason"] = "STOP";
                }

                run.Take(new JsonObject { ["candidates"] = new JsonArray((JsonNode)candidate) }.ToJsonString(s_writing));
                AssertBeginnings(run.Texts, wanted);
            }

            run.End();
            Assert.Equal(wanted.OrderBy(static one => one.Key, StringComparer.Ordinal), run.Texts.OrderBy(static one => one.Key, StringComparer.Ordinal));
        }
    }

    private static void AssertBeginnings(Dictionary<string, string> told, Dictionary<string, string> wanted)
    {
        foreach ((string field, string text) in told)
        {
            Assert.True(wanted[field].StartsWith(text, StringComparison.Ordinal), $"{field}: released too early\n{text}\nwhole:\n{wanted[field]}");
        }
    }

    private static JsonObject Whole(RedactionPolicy policy, RedactedValues values, MatchFinder finder, bool isJsonOutput, JsonObject body) =>
        JsonNode.Parse(new JsonScreen(policy, values, finder, isAnswer: true, isJsonOutput).Run(Encoding.UTF8.GetBytes(body.ToJsonString(s_writing))).Span)!.AsObject();

    private static Queue<string> Cut(string text, Random random)
    {
        Queue<string> pieces = [];
        for (int at = 0; at < text.Length;)
        {
            int end = Math.Min(text.Length, at + random.Next(1, random.Next(4) == 0 ? 120 : 14));
            end += end < text.Length && char.IsLowSurrogate(text[end]) ? 1 : 0;
            pieces.Enqueue(text[at..end]);
            at = end;
        }

        return pieces;
    }

    private static void Put(JsonObject holder, string field, string text)
    {
        string[] steps = field.Split('/');
        if (steps.Length == 1)
        {
            holder[field] = text;
            return;
        }

        JsonArray calls = holder["tool_calls"] as JsonArray ?? [];
        holder["tool_calls"] = calls;
        calls.Add((JsonNode)new JsonObject { ["index"] = int.Parse(steps[1], null), [steps[2]] = new JsonObject { [steps[3]] = text } });
    }

    private static string Get(JsonNode holder, string field)
    {
        string[] steps = field.Split('/');
        return steps.Length == 1
            ? (string)holder[field]!
            : (string)holder["tool_calls"]!.AsArray().Single(call => (int)call!["index"]! == int.Parse(steps[1], null))![steps[2]]![steps[3]]!;
    }

    /// <summary>A client: it puts together what it is told.</summary>
    private sealed class Run(RedactionPolicy policy, RedactedValues values, MatchFinder finder, bool isJsonOutput)
    {
        private readonly AnswerFrames _frames = new(policy, values, finder, isJsonOutput);
        private readonly Dictionary<int, (int Part, string Kind)> _parts = [];

        public Dictionary<string, string> Texts { get; } = [];

        public string Take(string data)
        {
            ArrayBufferWriter<byte> output = new();
            _frames.Take(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes($"data: {data}\n\n")), output);
            return Read(output);
        }

        public string End()
        {
            ArrayBufferWriter<byte> output = new();
            _frames.End(output);
            return Read(output);
        }

        private string Read(ArrayBufferWriter<byte> output)
        {
            string told = Encoding.UTF8.GetString(output.WrittenSpan);
            foreach (string frame in told.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(static frame => frame != "data: [DONE]"))
            {
                JsonNode node = JsonNode.Parse(frame["data: ".Length..])!;
                foreach (JsonNode? choice in node["choices"] as JsonArray ?? [])
                {
                    foreach (string field in s_fields)
                    {
                        Add((int)choice!["index"]!, field, Said(choice["delta"], field));
                    }
                }

                foreach (JsonNode? candidate in node["candidates"] as JsonArray ?? [])
                {
                    int index = (int)candidate!["index"]!;
                    foreach (JsonNode? part in candidate["content"]!["parts"]!.AsArray())
                    {
                        string kind = part!["thought"] is not null ? "thought" : part["text"] is not null ? "text" : "call";
                        (int place, string before) = _parts.TryGetValue(index, out (int, string) known) ? known : (0, kind);
                        _parts[index] = (place += kind == before ? 0 : 1, kind);
                        Add(index, $"{place}", (string?)part["text"] ?? (string)part["functionCall"]!["args"]!["text"]!);
                    }
                }
            }

            return told;
        }

        private void Add(int index, string field, string? text)
        {
            if (text is not null)
            {
                Texts[$"{index}/{field}"] = Texts.GetValueOrDefault($"{index}/{field}") + text;
            }
        }

        private static string? Said(JsonNode? delta, string field)
        {
            string[] steps = field.Split('/');
            return steps.Length == 1
                ? (string?)delta?[field]
                : (string?)(delta?["tool_calls"] as JsonArray)?.FirstOrDefault(call => (int)call!["index"]! == int.Parse(steps[1], null))?[steps[2]]?[steps[3]];
        }
    }
}
