using System.Text.Json.Nodes;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.OllamaChat;

/// <summary>Every recorded exchange of Ollama's chat. Skipped where the set is absent.</summary>
public class RecordedWireTests : RecordedChatTests
{
    private protected override Protocol Protocol => ProtocolList.OllamaChat;

    private protected override string Vendor => "alibaba";

    private protected override int RequestsMin => 34;

    private protected override int AnswersMin => 33;

    private protected override IEnumerable<Recording> Recordings() => Recording.Of("ollama_chat");

    /// <summary>
    /// What may differ: null and empty fields left out, <c>stream</c> and <c>options</c> always written, the ids, types and places of calls, which the gateway adds, and the
    /// name of a result's tool.
    /// </summary>
    private protected override string Normal(JsonObject root)
    {
        root["stream"] ??= true;
        root["options"] ??= new JsonObject();
        foreach (string name in root.Where(field => field.Value is null or JsonArray { Count: 0 } || field.Value.ToJsonString() == "\"\"").Select(field => field.Key).ToList())
        {
            root.Remove(name);
        }

        foreach (JsonObject message in root["messages"]!.AsArray().OfType<JsonObject>())
        {
            message["content"] ??= "";
            foreach (string name in message.Where(field => field.Value is null or JsonArray { Count: 0 }).Select(field => field.Key).ToList())
            {
                message.Remove(name);
            }

            message.Remove("tool_call_id");
            message.Remove("tool_name");
            foreach (JsonNode? call in message["tool_calls"]?.AsArray() ?? [])
            {
                call!.AsObject().Remove("id");
                call.AsObject().Remove("type");
                call["function"]!.AsObject().Remove("index");
            }
        }

        return CanonicalJson.Of(root.ToJsonString());
    }
}
