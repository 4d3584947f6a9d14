using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Names fields of an answer that no other protocol has, unless they say nothing or only repeat what was asked.</summary>
internal static class OpenAIResponsesAnswerLosses
{
    private static readonly string[] s_read =
        ["id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "model", "output", "output_text", "usage"];

    /// <summary>What an answer repeats of its request, or of the vendor's defaults for what the request left out.</summary>
    private static readonly string[] s_repeated =
    [
        "instructions", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "previous_response_id", "conversation", "prompt", "prompt_cache_key",
        "prompt_cache_retention", "prompt_cache_options", "reasoning", "safety_identifier", "store", "background", "temperature", "text", "tool_choice", "tools",
        "top_logprobs", "top_p", "truncation", "user", "metadata", "presence_penalty", "frequency_penalty", "include",
    ];

    /// <param name="response">The response object.</param>
    /// <param name="isTierTold">Its service tier is told by an event of its own.</param>
    /// <param name="losses">Takes the names.</param>
    public static void NoteResponse(ReadOnlySpan<byte> response, bool isTierTold, LossReport losses)
    {
        if (response.IsEmpty)
        {
            return;
        }

        using JsonDocument document = JsonDocument.Parse(response.ToArray(), new JsonDocumentOptions { MaxDepth = OpenAIResponsesFrame.ReaderOptions.MaxDepth });
        Note(document.RootElement, "", [.. s_read, .. s_repeated, isTierTold ? "service_tier" : "id"], losses);
    }

    public static void Note(JsonElement element, string at, ReadOnlySpan<string> known, LossReport losses)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (JsonProperty field in element.EnumerateObject())
        {
            string name = NameOf(field);
            if (!known.Contains(name) && SaysSomething(field.Value))
            {
                losses.AddInResponse(OpenAIResponsesFault.Below(at, name), $"The field {name} cannot cross protocols.");
            }
        }
    }

    private static string NameOf(JsonProperty field)
    {
        try
        {
            return field.Name;
        }
        catch (InvalidOperationException)
        {
            return "?"; // Half a surrogate pair.
        }
    }

    /// <summary>Nothing is said by null, by an empty text, by a count of zero, and by a list or object of nothing else.</summary>
    private static bool SaysSomething(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => false,
        JsonValueKind.String => JsonMarshal.GetRawUtf8Value(value).Length > 2,
        JsonValueKind.Array => value.EnumerateArray().Any(SaysSomething),
        JsonValueKind.Object => value.EnumerateObject().Any(static field => SaysSomething(field.Value)),
        JsonValueKind.Number => value.TryGetDouble(out double number) && number != 0,
        _ => true,
    };
}
