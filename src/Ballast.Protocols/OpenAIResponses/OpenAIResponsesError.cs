using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// Errors of the Responses API: OpenAI's one form as a body. In a stream an event <c>error</c>, with its fields side by side as the reference has it and some SDKs look for
/// it, and in an object <c>error</c> as OpenAI itself sends it and others do: an SDK that finds neither takes half an answer for the whole.
/// </summary>
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
        string message = error.Hint is null ? error.Message : $"{error.Message} Hint: {error.Hint}";
        WriteFields(error, message, json);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, OpenAIErrorBody.TypeOf(error.Kind));
        WriteFields(error, message, json);
        json.WriteEndObject();
        if (error.RequestId is not null)
        {
            json.WriteString("request_id"u8, error.RequestId);
        }

        json.WriteEndObject();
    }

    private static void WriteFields(ChatError error, string message, Utf8JsonWriter json)
    {
        json.WriteString("code"u8, error.Code ?? OpenAIErrorBody.TypeOf(error.Kind));
        json.WriteString("message"u8, message);
        json.WriteString("param"u8, error.Param);
    }
}
