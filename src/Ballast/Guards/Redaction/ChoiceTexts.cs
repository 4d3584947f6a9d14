using System.Globalization;
using System.Text.Json.Nodes;

namespace Ballast.Guards.Redaction;

/// <summary>
/// The texts of one answer among several in a stream of OpenAI's shape: what is said, thought and refused, and what each tool is given. Each field goes on by itself until the
/// answer ends, however they take turns, and what waits then goes out with the end.
/// </summary>
internal sealed class ChoiceTexts(ScreenMaker screens)
{
    private const char Step = '\n';

    /// <summary>Marks a place in a list by its number, and by where it stands: no field's name begins so.</summary>
    private const char Numbered = '\x1';
    private const char Standing = '\x2';

    private readonly Dictionary<string, StreamedText> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _kinds = new(StringComparer.Ordinal);

    /// <summary>Changes the next piece of the answer to what may go on.</summary>
    public void Take(JsonObject choice, bool isEnd)
    {
        Walk(choice, "", isThought: false);
        if (isEnd)
        {
            foreach ((string path, StreamedText open) in _open.OrderBy(static one => one.Key, StringComparer.Ordinal))
            {
                if (open.End() is { Length: > 0 } waited)
                {
                    Place(choice, path, waited);
                }
            }

            _open.Clear();
        }
    }

    private void Walk(JsonObject part, string above, bool isThought)
    {
        foreach ((string name, JsonNode? node) in part.ToArray())
        {
            string path = above + name;
            bool isThoughtBelow = isThought || JsonPlace.IsThought(name);
            if (screens.RedactsAnswers && JsonPlace.IsTokens(name))
            {
                part[name] = null;
            }
            else if (node is JsonObject own && JsonPlace.IsFree(name, isObject: true))
            {
                part[name] = null;
                part[name] = screens.Rest(new JsonObject { [name] = own })[name]!.DeepClone();
            }
            else if (node is JsonObject inner)
            {
                Walk(inner, path + Step, isThoughtBelow);
            }
            else if (node is JsonArray list)
            {
                Walk(list, path + Step, isThoughtBelow);
            }
            else if (node is JsonValue value && value.TryGetValue(out string? text) && !JsonPlace.IsOpaque(name))
            {
                part[name] = JsonPlace.IsWritten(name) || JsonPlace.IsThought(name) ? Piece(path, name, text, isThoughtBelow) : screens.Whole(text);
            }
        }
    }

    private void Walk(JsonArray list, string above, bool isThought)
    {
        for (int i = 0; i < list.Count; i++)
        {
            if (list[i] is JsonObject element)
            {
                bool isNumbered = element["index"] is not null;
                string path = string.Create(CultureInfo.InvariantCulture, $"{above}{(isNumbered ? Numbered : Standing)}{(isNumbered ? AnswerFrames.IndexOf(element) : i)}");
                if (!isNumbered && element["type"] is JsonValue type && type.TryGetValue(out string? kind))
                {
                    path += kind; // a list that has another kind in the same place goes on with another text
                    _kinds[path] = kind;
                }

                Walk(element, path + Step, isThought);
            }
        }
    }

    private string Piece(string path, string name, string text, bool isThought)
    {
        if (!_open.TryGetValue(path, out StreamedText? open))
        {
            open = _open[path] = screens.Open(name, isThought);
        }

        return open.Push(text);
    }

    /// <summary>Adds to the text at a path, making what is missing on the way there.</summary>
    private void Place(JsonObject choice, string path, string text)
    {
        JsonNode at = choice;
        string[] steps = path.Split(Step);
        for (int i = 0; i < steps.Length - 1; i++)
        {
            string step = steps[i];
            bool isList = steps[i + 1] is [Numbered or Standing, ..];
            at = at is JsonArray list ? Element(list, step, string.Join(Step, steps[..(i + 1)])) : Below((JsonObject)at, step, isList);
        }

        JsonObject holder = (JsonObject)at;
        holder[steps[^1]] = (holder[steps[^1]] is JsonValue value && value.TryGetValue(out string? said) ? said : "") + text;
    }

    private static JsonNode Below(JsonObject holder, string name, bool isList)
    {
        if (isList ? holder[name] is JsonArray : holder[name] is JsonObject)
        {
            return holder[name]!;
        }

        JsonNode made = isList ? new JsonArray() : new JsonObject();
        holder[name] = made;
        return made;
    }

    private JsonObject Element(JsonArray list, string step, string path)
    {
        if (step[0] == Numbered)
        {
            int index = int.Parse(step.AsSpan(1), CultureInfo.InvariantCulture);
            JsonObject? known = list.OfType<JsonObject>().FirstOrDefault(one => one["index"] is not null && AnswerFrames.IndexOf(one) == index);
            return known ?? Added(list, new JsonObject { ["index"] = index });
        }

        string? kind = _kinds.GetValueOrDefault(path);
        JsonObject? same = list.OfType<JsonObject>().FirstOrDefault(one => one["type"]?.GetValueKind() != System.Text.Json.JsonValueKind.String || (string?)one["type"] == kind);
        return same ?? Added(list, kind is null ? [] : new JsonObject { ["type"] = kind });
    }

    private static JsonObject Added(JsonArray list, JsonObject element)
    {
        list.Add((JsonNode)element);
        return element;
    }
}
