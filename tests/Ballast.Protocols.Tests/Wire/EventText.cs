using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>Events as stable text, one a line; strings are JSON strings.</summary>
/// <example>
/// <code>
/// started id=msg_1 model=claude-x created=1700000000     (a missing one is left out)
/// text 0 "Hello"
/// refusal 0 "No"
/// thinking 0 "Let me see"
/// signed 0 anthropic "c2ln"
/// redacted 0 anthropic "ZGF0YQ=="
/// tool 1 call_1 get_weather
/// custom-tool 1 call_1 apply_patch                       (one of free text: what follows is that text)
/// args 1 "{\"city\""
/// end 1
/// cited 0 url="https://…" title="…" quote="…" 0..5       (missing ones left out; range with ? for an unknown end)
/// finished stop                                          (finished stop "END" where a stop sequence is told)
/// usage in=10 read=2 write=1 write1h=1 out=5 reasoning=3 estimated   (zeros and the unknown left out, in and out always there)
/// failed RateLimited code=… type=… param=… status=429 "message"
/// ping
/// ended
/// </code>
/// </example>
public static class EventText
{
    public static string Of(IEnumerable<ChatEvent> events) => string.Join('\n', events.Select(Of));

    public static string Of(ChatEvent chatEvent) => chatEvent switch
    {
        ResponseStarted e => "started" + Field("id", e.Id) + Field("model", e.Model) + Field("created", e.CreatedUnixSeconds?.ToString()),
        TextDelta e => $"text {e.Part} {Quote(e.Text)}",
        RefusalDelta e => $"refusal {e.Part} {Quote(e.Text)}",
        ThinkingDelta e => $"thinking {e.Part} {Quote(e.Text)}",
        ThinkingSigned e => $"signed {e.Part} {e.Issuer} {Quote(e.Signature)}",
        ThinkingRedacted e => $"redacted {e.Part} {e.Issuer} {Quote(e.Data)}",
        ToolCallStarted e => $"{(e.IsFreeText ? "custom-tool" : "tool")} {e.Part} {e.Id} {e.Name}",
        ToolCallDelta e => $"args {e.Part} {Quote(e.Arguments)}",
        PartEnded e => $"end {e.Part}",
        Cited e => $"cited {e.Part}" + Text("url", e.Url) + Text("title", e.Title) + Text("quote", e.QuotedText)
            + (e.Start is null && e.End is null ? "" : $" {e.Start?.ToString() ?? "?"}..{e.End?.ToString() ?? "?"}"),
        Finished e => $"finished {e.Reason}" + (e.StopSequence is null ? "" : " " + Quote(e.StopSequence)),
        UsageReported e => "usage" + Of(e.Usage),
        AnswerTold e => $"told {(e.Fact == AnswerFact.ServiceTier ? "tier" : "geo")} {e.Word}",
        Failed e => "failed " + Of(e.Error),
        Ping => "ping",
        ResponseEnded => "ended",
        _ => throw new InvalidOperationException(chatEvent.GetType().Name),
    };

    public static string Of(Usage usage) =>
        $" in={usage.InputTokens}" + Count("read", usage.CacheReadTokens) + Count("write", usage.CacheWriteTokens)
        + Count("write1h", usage.CacheWriteLongTokens) + $" out={usage.OutputTokens}" + Field("reasoning", usage.ReasoningTokens?.ToString())
        + (usage.IsEstimated ? " estimated" : "");

    public static string Of(ChatError error) =>
        error.Kind + Field("code", error.Code) + Field("type", error.Type) + Field("param", error.Param)
        + Field("status", error.UpstreamStatus?.ToString()) + " " + Quote(error.Message);

    public static string Quote(string text) => "\"" + JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping) + "\"";

    private static string Count(string name, long value) => value == 0 ? "" : $" {name}={value}";

    private static string Field(string name, string? value) => value is null ? "" : $" {name}={value}";

    private static string Text(string name, string? value) => value is null ? "" : $" {name}={Quote(value)}";
}
