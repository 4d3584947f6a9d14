using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ballast.Protocols.Tests.Fuzz;

/// <summary>
/// JSON as a tree that may be bent out of shape: keys twice, keys and strings that are no Unicode text, numbers no type can hold. A leaf is its raw text.
/// </summary>
public sealed class JsonTree
{
    private static readonly string[] s_junk =
    [
        "null", "true", "false", "\"\"", "[]", "{}", "\"\\ud800\"", "\"\\udc00 x \\ud83d\"", "\"\\u0000\"", "[[[[[[]]]]]]", "{\"type\":\"unknown_kind\"}", "{\"type\":7}",
        "[null]", "[1,\"two\",{}]", "{\"\":{}}", "{\"\\ud800\":1}", "\"unknown_value\"", "{\"index\":-1}", "{\"index\":99999999999}",
    ];

    private static readonly string[] s_keys =
    [
        "type", "id", "index", "content", "text", "role", "name", "delta", "usage", "error", "message", "choices", "model", "function", "arguments", "tool_calls", "input", "stream",
        "cache_control", "source", "thinking", "signature", "data", "stop_reason", "finish_reason", "zz_unknown", "a/b", "a~b", "\\ud800", "", "reasoning_details", "annotations",
    ];

    public char Kind { get; private set; }

    public string Leaf { get; private set; } = "";

    public List<(string Key, JsonTree Value)> Children { get; private set; } = [];

    public static JsonTree Parse(ReadOnlyMemory<byte> json)
    {
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
        return From(document.RootElement);
    }

    private static JsonTree From(JsonElement element)
    {
        JsonTree tree = new();
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                tree.Kind = '{';
                tree.Children = [.. element.EnumerateObject().Select(property => (Escape(property.Name), From(property.Value)))];
                break;
            case JsonValueKind.Array:
                tree.Kind = '[';
                tree.Children = [.. element.EnumerateArray().Select(item => ("", From(item)))];
                break;
            default:
                tree.Leaf = element.GetRawText();
                break;
        }

        return tree;
    }

    public static JsonTree Raw(string text) => new() { Leaf = text };

    public static string Escape(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();

    public IEnumerable<JsonTree> All() => Children.SelectMany(child => child.Value.All()).Prepend(this);

    /// <summary>Bends the tree at one place.</summary>
    public void Mutate(Dice dice)
    {
        List<JsonTree> all = [.. All()];
        JsonTree at = all[dice.Below(all.Count)];
        if (at.Kind == '\0' || dice.Chance(25))
        {
            at.Become(Junk(dice, all));
            return;
        }

        switch (dice.Below(7))
        {
            case 0 when at.Children.Count > 0:
                at.Children.RemoveAt(dice.Below(at.Children.Count));
                break;
            case 1 when at.Children.Count > 0:
                at.Children.Insert(dice.Below(at.Children.Count + 1), at.Children[dice.Below(at.Children.Count)]);
                break;
            case 2 when at.Children.Count > 1:
                (string, JsonTree) moved = at.Children[dice.Below(at.Children.Count)];
                at.Children.Remove(moved);
                at.Children.Insert(dice.Below(at.Children.Count + 1), moved);
                break;
            case 3 when at.Children.Count > 0 && at.Kind == '{':
                int renamed = dice.Below(at.Children.Count);
                at.Children[renamed] = (dice.Pick(s_keys), at.Children[renamed].Value);
                break;
            case 4 when at.Children.Count > 0:
                // The same key again with another value.
                (string key, JsonTree _) = at.Children[dice.Below(at.Children.Count)];
                at.Children.Add((key, Junk(dice, all)));
                break;
            case 5:
                at.Become(Raw(Nested(dice.Pick(3, 30, 63, 64, 65, 129, 300), dice.Chance(50))));
                break;
            default:
                at.Children.Add((dice.Pick(s_keys), Junk(dice, all)));
                break;
        }
    }

    private static JsonTree Junk(Dice dice, List<JsonTree> all) => dice.Below(5) switch
    {
        0 => Raw(dice.NumberText()),
        1 => Raw($"\"{Escape(dice.Text())}\""),
        2 => all[dice.Below(all.Count)].Copy(4),
        _ => Raw(dice.Pick(s_junk)),
    };

    private static string Nested(int depth, bool isObject) =>
        isObject
            ? string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth)
            : new string('[', depth) + new string(']', depth);

    private JsonTree Copy(int depth) => depth == 0 ? Raw("{}") : new()
    {
        Kind = Kind, Leaf = Leaf, Children = [.. Children.Take(8).Select(child => (child.Key, child.Value.Copy(depth - 1)))],
    };

    private void Become(JsonTree other)
    {
        JsonTree copy = other.Copy(4);
        Kind = copy.Kind;
        Leaf = copy.Leaf;
        Children = copy.Children;
    }

    public override string ToString()
    {
        StringBuilder text = new();
        Write(text);
        return text.ToString();
    }

    private void Write(StringBuilder text)
    {
        if (Kind == '\0')
        {
            text.Append(Leaf);
            return;
        }

        text.Append(Kind);
        for (int i = 0; i < Children.Count; i++)
        {
            text.Append(i > 0 ? "," : "");
            if (Kind == '{')
            {
                text.Append('"').Append(Children[i].Key).Append("\":");
            }

            Children[i].Value.Write(text);
        }

        text.Append(Kind == '{' ? '}' : ']');
    }
}
