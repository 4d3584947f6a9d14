using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Errors of Chat Completions: OpenAI has one form for all its endpoints (<see cref="OpenAIErrorBody"/>).</summary>
internal static class OpenAIChatError
{
    public static ChatError Read(int status, ReadOnlyMemory<byte> body) => OpenAIErrorBody.Read(status, body);

    public static bool IsOwn(ReadOnlyMemory<byte> body) => OpenAIErrorBody.IsOwn(body);

    public static ChatError ReadInAnswer(ReadOnlySpan<byte> json) => OpenAIErrorBody.ReadInAnswer(json);

    public static int StatusOf(ChatError error) => OpenAIErrorBody.StatusOf(error);

    public static void Write(ChatError error, Utf8JsonWriter json) => OpenAIErrorBody.Write(error, json);
}
