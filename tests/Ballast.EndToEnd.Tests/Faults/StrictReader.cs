using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>
/// Holds an answer to the vendors' own documentation, more strictly than SDKs do: order of events, indices, ids, exactly one end, and nothing after it. Shares no code
/// with the gateway.
/// </summary>
internal static class StrictReader
{
    public static void Read(Caller caller, bool stream, ClientAnswer answer)
    {
        string expected = answer.Status == 200 && stream ? "text/event-stream; charset=utf-8" : "application/json";
        Assert.True(answer.Headers["Content-Type"] == expected, answer.ToString());
        if (answer.Status != 200)
        {
            ReadError(caller, Parse(answer.Body), answer);
        }
        else if (!stream)
        {
            ReadWhole(caller, Parse(answer.Body), answer);
        }
        else if (caller.IsAnthropic)
        {
            new MessageStream(answer).Read(Events(answer.Body));
        }
        else
        {
            ReadChunks(Events(answer.Body), answer);
        }
    }

    private static JsonElement Parse(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new InvalidDataException("Not JSON: " + json);
        }
    }

    /// <summary>Every event, whole: a body that ends in the middle of one is malformed.</summary>
    private static List<(string? Name, string Data)> Events(string body)
    {
        Assert.True(body.Length == 0 || body.EndsWith("\n\n", StringComparison.Ordinal), "The stream ends in the middle of an event: " + body);
        List<(string?, string)> events = [];
        foreach (string frame in body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = [.. frame.Split('\n').Where(line => !line.StartsWith(':'))];
            string? name = lines.FirstOrDefault(line => line.StartsWith("event: ", StringComparison.Ordinal))?["event: ".Length..];
            string[] data = [.. lines.Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line["data: ".Length..])];
            Assert.True(lines.Length == data.Length + (name is null ? 0 : 1), "A line that is no field: " + frame);
            if (data.Length > 0)
            {
                events.Add((name, string.Join('\n', data)));
            }
        }

        return events;
    }

    private static void ReadError(Caller caller, JsonElement root, ClientAnswer answer)
    {
        JsonElement error = root.GetProperty("error");
        if (caller.IsAnthropic)
        {
            Assert.Equal("error", root.GetProperty("type").GetString());
            answer.ErrorId = root.GetProperty("request_id").GetString();
        }
        else
        {
            Assert.True(error.TryGetProperty("param", out _));
            // A request that its vendor refuses is refused in the vendor's own words: OpenAI's have the id in a header alone.
            answer.ErrorId = error.TryGetProperty("request_id", out JsonElement id) ? id.GetString()
                : answer.Status is 413 ? answer.Headers.GetValueOrDefault("x-request-id") : null;
        }

        answer.ErrorType = error.GetProperty("type").GetString()!;
        answer.ErrorCode = error.TryGetProperty("code", out JsonElement code) ? code.GetString() : null;
        answer.ErrorMessage = error.GetProperty("message").GetString()!;
        Assert.NotEqual("", answer.ErrorMessage);
        Assert.NotEqual("", answer.ErrorType);
    }

    private static void ReadWhole(Caller caller, JsonElement root, ClientAnswer answer)
    {
        Assert.NotEqual("", root.GetProperty("id").GetString());
        Assert.NotEqual("", root.GetProperty("model").GetString());
        if (caller.IsAnthropic)
        {
            Assert.Equal("message", root.GetProperty("type").GetString());
            Assert.Equal("assistant", root.GetProperty("role").GetString());
            Assert.True(!root.TryGetProperty("usage", out JsonElement usage) || usage.GetProperty("output_tokens").TryGetInt64(out _));
            answer.Finish = root.GetProperty("stop_reason").GetString();
            foreach (JsonElement block in root.GetProperty("content").EnumerateArray())
            {
                answer.Text.Append(block.GetProperty("type").GetString() == "text" ? block.GetProperty("text").GetString() : "");
            }
        }
        else
        {
            Assert.Equal("chat.completion", root.GetProperty("object").GetString());
            Assert.True(root.GetProperty("created").TryGetInt64(out _));
            JsonElement choice = Assert.Single(root.GetProperty("choices").EnumerateArray());
            Assert.Equal(0, choice.GetProperty("index").GetInt32());
            Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());
            answer.Finish = choice.GetProperty("finish_reason").GetString();
            answer.Text.Append(choice.GetProperty("message").GetProperty("content").GetString());
        }

        Assert.NotNull(answer.Finish);
        answer.IsComplete = true;
    }

    private static void ReadChunks(List<(string? Name, string Data)> events, ClientAnswer answer)
    {
        string? id = null;
        foreach ((string? name, string data) in events)
        {
            Assert.Null(name);
            Assert.False(answer.IsComplete || answer.IsError, "Something follows the end: " + answer.Body);
            if (data == "[DONE]")
            {
                Assert.True(answer.Finish is not null, "Done without a finish reason: " + answer.Body);
                answer.IsComplete = true;
                continue;
            }

            JsonElement chunk = Parse(data);
            if (chunk.TryGetProperty("error", out _))
            {
                ReadError(Caller.OpenAI, chunk, answer);
                continue;
            }

            JsonElement choices = chunk.GetProperty("choices");
            bool isFilterOnly = choices.GetArrayLength() == 0 && chunk.TryGetProperty("prompt_filter_results", out _);
            if (!isFilterOnly)
            {
                id ??= chunk.GetProperty("id").GetString();
                Assert.Equal(id, chunk.GetProperty("id").GetString());
                Assert.Equal("chat.completion.chunk", chunk.GetProperty("object").GetString());
            }

            foreach (JsonElement choice in choices.EnumerateArray())
            {
                JsonElement delta = choice.GetProperty("delta");
                string? text = delta.TryGetProperty("content", out JsonElement content) ? content.GetString() : null;
                Assert.True(answer.Finish is null || string.IsNullOrEmpty(text), "Text after the finish reason: " + answer.Body);
                answer.Text.Append(text);
                answer.Finish = choice.TryGetProperty("finish_reason", out JsonElement finish) ? finish.GetString() ?? answer.Finish : answer.Finish;
            }
        }
    }

    /// <summary>The event grammar of Messages.</summary>
    private sealed class MessageStream(ClientAnswer answer)
    {
        private bool _isStarted;
        private int _open = -1;
        private int _next;

        public void Read(List<(string? Name, string Data)> events)
        {
            foreach ((string? name, string data) in events)
            {
                Assert.False(answer.IsComplete || answer.IsError, "Something follows the end: " + answer.Body);
                JsonElement root = Parse(data);
                Assert.Equal(name, root.GetProperty("type").GetString());
                Assert.True(_isStarted || name is "message_start" or "ping" or "error", "Not begun with message_start: " + answer.Body);
                Read(name!, root);
            }
        }

        private void Read(string name, JsonElement root)
        {
            switch (name)
            {
                case "message_start":
                    Assert.False(_isStarted, "Two starts: " + answer.Body);
                    Assert.NotEqual("", root.GetProperty("message").GetProperty("id").GetString());
                    Assert.Equal("assistant", root.GetProperty("message").GetProperty("role").GetString());
                    _isStarted = true;
                    break;
                case "content_block_start":
                    Assert.True(_open < 0 && answer.Finish is null, "A block begins in a block: " + answer.Body);
                    _open = root.GetProperty("index").GetInt32();
                    Assert.Equal(_next++, _open);
                    break;
                case "content_block_delta":
                    Assert.Equal(_open, root.GetProperty("index").GetInt32());
                    answer.Text.Append(root.GetProperty("delta").TryGetProperty("text", out JsonElement text) ? text.GetString() : "");
                    break;
                case "content_block_stop":
                    Assert.Equal(_open, root.GetProperty("index").GetInt32());
                    _open = -1;
                    break;
                case "message_delta":
                    Assert.True(_open < 0, "The message ends in a block: " + answer.Body);
                    answer.Finish = root.GetProperty("delta").GetProperty("stop_reason").GetString() ?? answer.Finish;
                    Assert.True(!root.TryGetProperty("usage", out JsonElement usage) || usage.GetProperty("output_tokens").TryGetInt64(out _));
                    break;
                case "message_stop":
                    Assert.True(answer.Finish is not null, "Stopped without a stop reason: " + answer.Body);
                    answer.IsComplete = true;
                    break;
                case "error":
                    ReadError(Caller.Anthropic, root, answer);
                    break;
                default:
                    Assert.Equal("ping", name);
                    break;
            }
        }
    }
}
