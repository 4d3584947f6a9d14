using System.Text;
using System.Text.Json.Nodes;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.CohereChat;

/// <summary>Every recorded exchange of Cohere's chat, version 2. Skipped where the set is absent.</summary>
public class RecordedWireTests : RecordedChatTests
{
    private protected override Protocol Protocol => ProtocolList.CohereChat;

    private protected override string Vendor => "cohere";

    private protected override int RequestsMin => 38;

    private protected override int AnswersMin => 36;

    private protected override IEnumerable<Recording> Recordings() =>
        Recording.Of("cohere_chat").Where(recording => recording.Request is null || JsonNode.Parse(recording.Request)!.AsObject().ContainsKey("messages"))
            .Where(recording => Encoding.UTF8.GetString(recording.Answer) is { } answer && !answer.Contains("event_type", StringComparison.Ordinal)
                && !answer.Contains("generation_id", StringComparison.Ordinal));

    /// <summary>What may differ: null and empty fields left out, <c>stream</c> always written, an assistant's empty content.</summary>
    private protected override string Normal(JsonObject root)
    {
        root["stream"] ??= false;
        RemoveEmpty(root);
        foreach (JsonObject message in root["messages"]!.AsArray().OfType<JsonObject>())
        {
            RemoveEmpty(message);
        }

        return CanonicalJson.Of(root.ToJsonString());
    }

    private static void RemoveEmpty(JsonObject fields)
    {
        foreach (string name in fields.Where(field => field.Value is null or JsonArray { Count: 0 }).Select(field => field.Key).ToList())
        {
            fields.Remove(name);
        }
    }
}
