using System.Text.Json.Nodes;

namespace Ballast.Guards.Redaction;

/// <summary>The parts of one answer among several in a stream of Gemini's shape: a run of text, or of thoughts, is one text; any other part ends it and comes whole.</summary>
internal sealed class CandidateParts(ScreenMaker screens)
{
    private StreamedText? _open;
    private bool _isThought;

    /// <summary>Changes the next piece of the answer to what may go on.</summary>
    public void Take(JsonObject candidate, bool isEnd)
    {
        JsonArray? list = candidate["content"]?["parts"] as JsonArray;
        List<JsonObject> parts = [.. list?.OfType<JsonObject>() ?? []];
        list?.Clear();
        Rest(candidate);
        JsonArray output = [];
        foreach (JsonObject part in parts)
        {
            if (part["text"] is JsonValue value && value.TryGetValue(out string? text))
            {
                Text(part, text, output);
            }
            else
            {
                Flush(output);
                (part["functionCall"] as JsonObject)?.Remove("partialArgs"); // pieces of arguments have no place in the neutral form either
                output.Add((JsonNode)screens.Rest(part));
            }
        }

        if (isEnd)
        {
            Flush(output);
        }

        if (candidate["content"] is JsonObject content)
        {
            content["parts"] = output;
        }
        else if (output.Count > 0)
        {
            candidate["content"] = new JsonObject { ["parts"] = output, ["role"] = "model" };
        }
    }

    private void Rest(JsonObject candidate)
    {
        JsonObject screened = screens.Rest(candidate);
        if (ReferenceEquals(screened, candidate))
        {
            return;
        }

        foreach ((string name, JsonNode? node) in screened.ToArray())
        {
            screened[name] = null;
            candidate[name] = node;
        }
    }

    private void Text(JsonObject part, string text, JsonArray output)
    {
        bool isThought = part["thought"] is JsonValue mark && mark.TryGetValue(out bool thought) && thought;
        if (_open is not null && _isThought != isThought)
        {
            Flush(output);
        }

        _open ??= screens.Open("text", isThought);
        _isThought = isThought;
        string told = _open.Push(text);
        if (part["thoughtSignature"] is not null)
        {
            told += _open.End(); // the signature is of all that came before it
            _open = null;
        }

        part["text"] = told;
        output.Add((JsonNode)part);
    }

    /// <summary>What waits is a part of its own: clients put parts together.</summary>
    private void Flush(JsonArray output)
    {
        if (_open is null)
        {
            return;
        }

        string waited = _open.End();
        _open = null;
        if (waited.Length > 0)
        {
            JsonObject part = new() { ["text"] = waited };
            if (_isThought)
            {
                part["thought"] = true;
            }

            output.Add((JsonNode)part);
        }
    }
}
