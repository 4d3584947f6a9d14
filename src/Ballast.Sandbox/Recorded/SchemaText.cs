using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Sandbox.Recorded;

/// <summary>A JSON schema without what says nothing: a type that is an object anyway, an empty list of properties or of required ones.</summary>
internal static class SchemaText
{
    /// <summary>The second says what the first says; a title and a description may have been added.</summary>
    public static bool IsSame(string one, string other)
    {
        JsonObject? before = JsonNode.Parse(one.Length == 0 ? "{}" : one) as JsonObject;
        JsonObject? after = JsonNode.Parse(other.Length == 0 ? "{}" : other) as JsonObject;
        foreach (string name in (string[])["title", "description"])
        {
            if (before?.ContainsKey(name) == false)
            {
                after?.Remove(name);
            }
        }

        return Plain(before) == Plain(after);
    }

    private static string Plain(JsonObject? root)
    {
        if (root is not null)
        {
            if (root["type"] is JsonValue type && type.GetValueKind() == JsonValueKind.String && type.GetValue<string>() == "object")
            {
                root.Remove("type");
            }

            foreach (string name in (string[])["properties", "required"])
            {
                if (root[name] is JsonObject { Count: 0 } or JsonArray { Count: 0 })
                {
                    root.Remove(name);
                }
            }
        }

        return root?.ToJsonString() ?? "";
    }
}
