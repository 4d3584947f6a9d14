using System.Text.Json;
using Ballast.Sandbox.Recorded;

namespace Ballast.Sandbox;

/// <summary>Holds an answer that a gateway wrote to its protocol, more strictly than the vendors' clients do: what these take for granted is checked here.</summary>
public static class AnswerForm
{
    /// <summary>Names everything that is wrong with an answer; nothing where it keeps to its protocol.</summary>
    /// <param name="api">How it should look.</param>
    /// <param name="isStream">It is an event stream.</param>
    /// <param name="answer">The bytes.</param>
    public static IReadOnlyList<WireDifference> Faults(string api, bool isStream, ReadOnlyMemory<byte> answer)
    {
        FormFaults faults = new();
        if (isStream)
        {
            // Comments are signs of life, not events.
            List<EventText> events = [.. EventStreamText.Split(answer.Span).Where(frame => frame.Data.Length > 0 || frame.Name.Length > 0)];
            if (api == WireApi.Messages)
            {
                new MessagesStreamForm(faults).Check(events);
            }
            else
            {
                new ChatStreamForm(faults).Check(events);
            }
        }
        else
        {
            using JsonDocument? document = JsonWalk.TryParse(answer);
            if (document is null)
            {
                faults.Add("", "is no JSON");
            }
            else if (api == WireApi.Messages)
            {
                MessagesForm.CheckMessage(document.RootElement, faults);
            }
            else
            {
                ChatForm.CheckCompletion(document.RootElement, faults);
            }
        }

        return faults.All;
    }

    /// <summary>Names everything that is wrong with an error body.</summary>
    public static IReadOnlyList<WireDifference> ErrorFaults(string api, ReadOnlyMemory<byte> body)
    {
        FormFaults faults = new();
        using JsonDocument? document = JsonWalk.TryParse(body);
        if (document is null)
        {
            faults.Add("", "the error is no JSON");
            return faults.All;
        }

        CheckError(api, document.RootElement, faults);
        return faults.All;
    }

    /// <summary>A stream that ends with an error must end with nothing else: the error as its last event, no mark of success.</summary>
    public static IReadOnlyList<WireDifference> CutStreamFaults(string api, RecordedFraming framing, ReadOnlyMemory<byte> answer)
    {
        if (WireApi.FormOf(api) is not (WireApi.Chat or WireApi.Messages) || framing != RecordedFraming.Events)
        {
            return AnswerFacts.Read(api, framing, answer) is { IsError: true } or { IsComplete: false } ? [] : [new WireDifference("", "the stream ends as if it were whole")];
        }

        FormFaults faults = new();
        List<EventText> events = [.. EventStreamText.Split(answer.Span).Where(frame => frame.Data.Length > 0)];
        faults.Require(events.Count > 0, "", "the stream is empty");
        faults.Require(!events.Exists(frame => frame.Name == "message_stop" || frame.Data == "[DONE]"), "", "the stream ends as if it were whole");
        using JsonDocument? last = events.Count > 0 ? JsonWalk.TryParse(events[^1].Data) : null;
        if (last is null)
        {
            faults.Add("", "the stream does not end with an error");
        }
        else
        {
            CheckError(api, last.RootElement, faults);
        }

        return faults.All;
    }

    /// <summary>The field that an error in OpenAI's shape is about, or null.</summary>
    public static string? RefusedField(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        return document is not null && JsonWalk.Get(document.RootElement, "error") is { } error ? JsonWalk.Text(error, "param") : null;
    }

    private static void CheckError(string api, JsonElement root, FormFaults faults)
    {
        switch (WireApi.FormOf(api))
        {
            case WireApi.Converse or WireApi.Cohere:
                faults.Require(!string.IsNullOrWhiteSpace(JsonWalk.Text(root, "message")), "/message", "is missing");
                return;
            case WireApi.Messages when api == WireApi.Invoke:
                faults.Require(!string.IsNullOrWhiteSpace(JsonWalk.Text(root, "message")), "/message", "is missing");
                return;
            case WireApi.Ollama:
                faults.Require(!string.IsNullOrWhiteSpace(JsonWalk.Text(root, "error")), "/error", "is missing");
                return;
        }

        JsonElement? error = JsonWalk.Get(root, "error");
        faults.Require(error is { ValueKind: JsonValueKind.Object }, "/error", "is no object");
        if (error is { ValueKind: JsonValueKind.Object } inner)
        {
            faults.Require(!string.IsNullOrWhiteSpace(JsonWalk.Text(inner, "message")), "/error/message", "is missing");
            string kind = WireApi.FormOf(api) == WireApi.Gemini ? "status" : "type";
            faults.Require(!string.IsNullOrWhiteSpace(JsonWalk.Text(inner, kind)), $"/error/{kind}", "is missing");
        }

        faults.Require(api != WireApi.Messages || JsonWalk.Text(root, "type") == "error", "/type", "is not error");
    }
}
