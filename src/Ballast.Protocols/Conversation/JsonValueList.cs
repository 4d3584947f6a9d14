using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ballast.Protocols.Conversation;

/// <summary>JSON values of which one is to be found by equality: numbers by what they count, objects in any order. Only values alike at first sight are compared.</summary>
internal sealed class JsonValueList
{
    /// <summary>Bytes compared that count as much work as one schema applied.</summary>
    private const int BytesPerStep = 64;

    private readonly Dictionary<object, List<JsonElement>> _values = [];

    public JsonValueList(IReadOnlyList<JsonElement> values)
    {
        foreach (JsonElement value in values)
        {
            object sight = FirstSight(value);
            if (!_values.TryGetValue(sight, out List<JsonElement>? alike))
            {
                _values.Add(sight, alike = []);
            }

            alike.Add(value);
        }
    }

    /// <param name="value">What is looked for.</param>
    /// <param name="steps">Grows with the work that it took.</param>
    public bool Contains(JsonElement value, ref int steps)
    {
        if (!_values.TryGetValue(FirstSight(value), out List<JsonElement>? alike))
        {
            return false;
        }

        int cost = 1 + (JsonMarshal.GetRawUtf8Value(value).Length / BytesPerStep);
        foreach (JsonElement one in alike)
        {
            if (steps > JsonSchemaCheck.StepsMax)
            {
                return false;
            }

            steps += cost;
            if (JsonElement.DeepEquals(one, value))
            {
                return true;
            }
        }

        return false;
    }

    private static object FirstSight(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.Array => (JsonValueKind.Array, value.GetArrayLength()),
        JsonValueKind.Object => (JsonValueKind.Object, value.GetPropertyCount()),
        _ => value.ValueKind,
    };
}
