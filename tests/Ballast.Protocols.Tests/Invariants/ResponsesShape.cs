using System.Text;
using System.Text.Json.Nodes;

namespace Ballast.Protocols.Tests.Invariants;

/// <summary>Shape of a Responses stream as OpenAI's documents give it, checked without any code of the product.</summary>
public sealed class ResponsesShape
{
    private readonly Dictionary<int, Open> _items = [];
    private readonly List<JsonNode> _done = [];
    private int _sequence;
    private bool _hasCreated;
    private bool _isEnded;

    /// <summary>Null where the stream is sound.</summary>
    public static string? Fault(string stream, bool isWhole)
    {
        ResponsesShape shape = new();
        foreach (string frame in stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = frame.Split('\n');
            if (lines is not [var name, var data] || !name.StartsWith("event: ", StringComparison.Ordinal) || !data.StartsWith("data: ", StringComparison.Ordinal))
            {
                return frame.StartsWith(':') ? null : $"no event with one line of data: {frame}";
            }

            JsonNode json = JsonNode.Parse(data[6..])!;
            if (shape.FaultOf(name[7..], json) is { } fault)
            {
                return $"{name[7..]}: {fault}";
            }
        }

        return shape._isEnded == isWhole ? null : "the terminal event is missing or false";
    }

    private string? FaultOf(string name, JsonNode json)
    {
        if ((string?)json["type"] != name || (int?)json["sequence_number"] != _sequence++ || _isEnded)
        {
            return "name, number or place is wrong";
        }

        if (name is "response.created" or "response.in_progress")
        {
            bool isSound = _hasCreated == (name == "response.in_progress") && (string?)json["response"]!["status"] == "in_progress" && _items.Count == 0;
            _hasCreated = true;
            return isSound ? null : "greeting out of order";
        }

        if (!_hasCreated)
        {
            return "before response.created";
        }

        if (name is "response.completed" or "response.incomplete")
        {
            _isEnded = true;
            return FaultOfEnd(name, json["response"]!);
        }

        int index = (int?)json["output_index"] ?? -1;
        return name switch
        {
            "response.output_item.added" => _items.TryAdd(index, new Open((string)json["item"]!["id"]!, (string)json["item"]!["type"]!)) && index == _items.Count - 1 ? null : "index skips",
            "response.output_item.done" => FaultOfItem(index, json["item"]!),
            _ => FaultOfPiece(name, index, json),
        };
    }

    private string? FaultOfItem(int index, JsonNode item)
    {
        if (!_items.TryGetValue(index, out Open? open) || open.IsDone || open.Piece >= 0 || (string?)item["id"] != open.Id)
        {
            return "ends what is not open";
        }

        open.IsDone = true;
        _done.Add(item);
        if (open.IsCall)
        {
            (string field, string prefix) = open.Type == "function_call" ? ("arguments", "fc_") : ("input", "ctc_");
            bool isSound = open.Text.ToString() == (string?)item[field] && (string?)item["call_id"] is { Length: > 0 } id && id != open.Id && open.Id.StartsWith(prefix, StringComparison.Ordinal);
            return isSound ? null : "a call's arguments or ids are wrong";
        }

        string told = string.Concat((item["content"] ?? item["summary"])!.AsArray().Select(piece => (string?)piece!["text"] ?? (string?)piece["refusal"]));
        return told == open.Text.ToString() ? null : "the pieces are not the whole";
    }

    private string? FaultOfPiece(string name, int index, JsonNode json)
    {
        if (!_items.TryGetValue(index, out Open? open) || open.IsDone || (string?)json["item_id"] != open.Id)
        {
            return "belongs to no open item";
        }

        int piece = (int?)json["content_index"] ?? (int?)json["summary_index"] ?? 0;
        if (name.EndsWith("_part.added", StringComparison.Ordinal))
        {
            bool isNext = open.Piece < 0 && piece == open.Pieces;
            open.Piece = open.Pieces++;
            return isNext ? null : "a piece overlaps or skips";
        }

        if (open.IsCall && name.StartsWith("response.custom_", StringComparison.Ordinal) != (open.Type == "custom_tool_call"))
        {
            return "is of another kind of call";
        }

        if (!open.IsCall && piece != open.Piece)
        {
            return "belongs to no open piece";
        }

        if (name.EndsWith(".delta", StringComparison.Ordinal))
        {
            open.Text.Append((string)json["delta"]!);
        }
        else if (name.EndsWith("_part.done", StringComparison.Ordinal))
        {
            open.Piece = -1;
        }

        return null;
    }

    private string? FaultOfEnd(string name, JsonNode response)
    {
        JsonArray output = response["output"]!.AsArray();
        string reason = (string?)response["incomplete_details"]?["reason"] ?? "";
        return (string?)response["status"] != name["response.".Length..] || reason.Length > 0 != (name == "response.incomplete") ? "status or reason is wrong"
            : _items.Values.Any(item => !item.IsDone) || output.Count != _items.Count ? "items are open or missing"
            : _done.Exists(item => !output.Any(one => JsonNode.DeepEquals(one, item))) ? "an item differs from its own end"
            : response["usage"]?["total_tokens"] is null ? "no usage"
            : null;
    }

    private sealed class Open(string id, string type)
    {
        public string Id { get; } = id;
        public string Type { get; } = type;
        public bool IsCall => Type is "function_call" or "custom_tool_call";
        public StringBuilder Text { get; } = new();
        public int Pieces { get; set; }
        public int Piece { get; set; } = -1;
        public bool IsDone { get; set; }
    }
}
