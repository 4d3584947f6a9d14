using System.Text;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>Valid answers of both protocols as raw text, to be broken by a test.</summary>
internal static class RawWire
{
    public const string StreamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    public const string JsonHead = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    public const string Text = "Hello there, world.";

    private static readonly string[] Pieces = ["Hello", " there", ", world", "."];

    /// <summary>The events of a stream, each with its blank line.</summary>
    public static string[] Events(bool isAnthropic) => isAnthropic ? MessageEvents() : ChunkEvents();

    public static string Whole(bool isAnthropic) => isAnthropic
        ? $$$"""{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"{{{Text}}}"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":5}}"""
        : $$$"""{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"{{{Text}}}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}""";

    public static string Answer(RawVisit visit, bool isAnthropic) =>
        visit.IsStream ? StreamHead + string.Concat(Events(isAnthropic)) : JsonHead + Whole(isAnthropic);

    public static string Ping(bool isAnthropic) => isAnthropic ? Event("ping", """{"type":"ping"}""") : ": ping\n\n";

    private static string[] ChunkEvents() =>
    [
        Chunk("""{"role":"assistant","content":""}""", "null"),
        .. Pieces.Select(piece => Chunk($$"""{"content":"{{piece}}"}""", "null")),
        Chunk("{}", "\"stop\""),
        """
        data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}


        """.ReplaceLineEndings("\n"),
        "data: [DONE]\n\n",
    ];

    private static string Chunk(string delta, string finish) =>
        $$"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{{delta}},"finish_reason":{{finish}}}]}""" + "\n\n";

    private static string[] MessageEvents() =>
    [
        Event("message_start", """{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":1}}}"""),
        Event("content_block_start", """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"""),
        .. Pieces.Select(piece => Event("content_block_delta", $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{{{piece}}}"}}""")),
        Event("content_block_stop", """{"type":"content_block_stop","index":0}"""),
        Event("message_delta", """{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}"""),
        Event("message_stop", """{"type":"message_stop"}"""),
    ];

    private static string Event(string name, string data) => $"event: {name}\ndata: {data}\n\n";

    /// <summary>As a chunked body.</summary>
    public static string Chunked(string text) => new StringBuilder().Append(Encoding.UTF8.GetByteCount(text).ToString("x", null)).Append("\r\n").Append(text).Append("\r\n").ToString();
}
