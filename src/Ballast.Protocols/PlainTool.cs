using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols;

/// <summary>A tool as the plain protocols describe it: OpenAI's <c>function</c> object.</summary>
internal static class PlainTool
{
    /// <summary>Reads the object in the field <c>function</c> of the tool at <paramref name="at"/>; what it has beyond the known goes to <paramref name="extras"/>.</summary>
    /// <exception cref="ProtocolException">It is no object, or has no name.</exception>
    public static Tool ReadFunction(ref JsonCursor json, string at, List<Extra> extras)
    {
        string inside = $"{at}/function";
        json.Expect(JsonTokenType.StartObject, "an object", inside);
        string? toolName = null;
        string? description = null;
        RawJson parameters = default;
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "name":
                    toolName = json.Text($"{inside}/name");
                    break;
                case "description" when !json.IsNull:
                    description = json.Text($"{inside}/description");
                    break;
                case "parameters" when json.Token == JsonTokenType.StartObject:
                    parameters = json.Take();
                    break;
                default:
                    extras.Add(json.TakeExtra(name, inside));
                    break;
            }
        }

        return new Tool(toolName ?? throw JsonCursor.Missing($"{inside}/name"), at) { Description = description, Parameters = parameters };
    }
}
