using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>An answer that its vendor works on in the background, as it looks at one moment.</summary>
/// <param name="Json">The answer as its caller sees it.</param>
/// <param name="Status">The vendor's word.</param>
/// <param name="Model">The model that its vendor names; null where it names none.</param>
/// <param name="Usage">Its tokens; null while it is worked on, and where none are told.</param>
public sealed record OpenAIResponsesBackground(byte[] Json, string Status, string? Model, Usage? Usage)
{
    /// <summary>It has not ended in any way.</summary>
    public bool IsRunning => IsAtWork(Status);

    /// <summary>Reads how it looks, and tells in it of the state that Ballast keeps.</summary>
    /// <param name="body">The vendor's answer to a look at it.</param>
    /// <param name="begun">How it looked when it had begun, as its caller saw it: what it said of state it still says.</param>
    /// <exception cref="ProtocolException">It is no answer.</exception>
    public static OpenAIResponsesBackground Read(ReadOnlySpan<byte> body, ReadOnlyMemory<byte> begun)
    {
        try
        {
            byte[] told = OpenAIResponsesStated.Edit(body.Trim(" \t\r\n"u8), StateOf(begun));
            using JsonDocument document = JsonDocument.Parse(told);
            JsonElement root = document.RootElement;
            string status = root.GetProperty("status"u8).GetString() ?? throw NoAnswer();
            string? model = root.TryGetProperty("model"u8, out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
            return new OpenAIResponsesBackground(told, status, model, UsageOf(root));
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw NoAnswer();
        }
    }

    /// <summary>What an answer in the background, as it is kept, says of state: for whoever takes up its stream again.</summary>
    public static AnswerState StateOf(ReadOnlyMemory<byte> begun)
    {
        using JsonDocument document = JsonDocument.Parse(begun);
        JsonElement root = document.RootElement;
        return new AnswerState
        {
            IsBackground = true,
            IsStored = true,
            PreviousResponseId = root.TryGetProperty("previous_response_id"u8, out JsonElement previous) ? previous.GetString() : null,
            ConversationId = root.TryGetProperty("conversation"u8, out JsonElement conversation) && conversation.ValueKind == JsonValueKind.Object
                ? conversation.GetProperty("id"u8).GetString() : null,
        };
    }

    /// <summary>An answer, as it is kept, has not ended in any way.</summary>
    public static bool IsRunningIn(ReadOnlyMemory<byte> answer)
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        return document.RootElement.TryGetProperty("status"u8, out JsonElement status) && IsAtWork(status.GetString());
    }

    internal static bool IsAtWork(string? status) => status is "queued" or "in_progress";

    private static Usage? UsageOf(JsonElement root)
    {
        if (!root.TryGetProperty("usage"u8, out JsonElement usage) || usage.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        Utf8JsonReader json = new(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(usage), OpenAIResponsesFrame.ReaderOptions);
        json.Read();
        ServiceTier tier = root.TryGetProperty("service_tier"u8, out JsonElement word) && word.ValueKind == JsonValueKind.String
            ? ServiceTierWord.Read(System.Text.Encoding.UTF8.GetBytes(word.GetString()!)) : ServiceTier.Standard;
        return OpenAIResponsesUsage.Read(ref json, null).At(tier);
    }

    private static ProtocolException NoAnswer() => new(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is no response."));
}
