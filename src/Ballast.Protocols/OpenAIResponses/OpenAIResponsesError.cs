using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Errors of the Responses API: OpenAI's one form as a body, an event <c>error</c> with its fields side by side in a stream.</summary>
internal static class OpenAIResponsesError
{
    public static ChatError Read(int status, ReadOnlyMemory<byte> body) => OpenAIErrorBody.Read(status, body);

    public static bool IsOwn(ReadOnlyMemory<byte> body) => OpenAIErrorBody.IsOwn(body);

    /// <summary>Reads an error inside an answer of status 200: an event <c>error</c>, or the field <c>error</c> of a response that failed.</summary>
    public static ChatError ReadInAnswer(ReadOnlySpan<byte> json) => OpenAIErrorBody.ReadInAnswer(json);

    public static int StatusOf(ChatError error) => OpenAIErrorBody.StatusOf(error);

    public static void Write(ChatError error, Utf8JsonWriter json) => OpenAIErrorBody.Write(error, json);

    /// <summary>The data of an event <c>error</c>; its number is one that no event of the stream can have had.</summary>
    public static void WriteEvent(ChatError error, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteNumber("sequence_number"u8, int.MaxValue);
        json.WriteString("code"u8, error.Code ?? OpenAIErrorBody.TypeOf(error.Kind));
        json.WriteString("message"u8, error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}");
        json.WriteString("param"u8, error.Param);
        if (error.RequestId is not null)
        {
            json.WriteString("request_id"u8, error.RequestId);
        }

        json.WriteEndObject();
    }
}
