using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ballast.Guards.Redaction;

/// <summary>
/// The frames of a streamed answer of the old completions, which are otherwise only passed on: the text of each choice is screened piece by piece. A frame without text goes
/// on as it is.
/// </summary>
internal sealed class CompletionFrames(Func<TextScreen> screen)
{
    private static readonly JsonSerializerOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<int, TextScreen> _open = [];
    private readonly StringBuilder _output = new();
    private JsonObject? _last;

    public void Take(in ReadOnlySequence<byte> frame, IBufferWriter<byte> output)
    {
        string text = Encoding.UTF8.GetString(frame);
        string data = DataOf(text);
        if (data == "[DONE]")
        {
            EndAll(output);
        }

        JsonObject? told = Parse(data);
        if (told?["choices"] is not JsonArray { Count: > 0 } choices)
        {
            Write(output, text);
            return;
        }

        foreach (JsonNode? choice in choices)
        {
            Screen(choice as JsonObject);
        }

        Write(output, $"data: {told.ToJsonString(s_writing)}\n\n");
        _last = told;
    }

    private void Screen(JsonObject? choice)
    {
        if (choice?["text"] is not JsonValue value || !value.TryGetValue(out string? text))
        {
            return;
        }

        int index = choice["index"] is JsonValue number && number.TryGetValue(out int told) ? told : 0;
        TextScreen open = _open.TryGetValue(index, out TextScreen? known) ? known : _open[index] = screen();
        _output.Clear();
        open.Push(text, _output);
        if (choice["finish_reason"] is not null)
        {
            open.End(_output);
            _open.Remove(index);
        }

        choice["text"] = _output.ToString();
    }

    /// <summary>What waits of a choice that ended without saying so.</summary>
    private void EndAll(IBufferWriter<byte> output)
    {
        foreach ((int index, TextScreen open) in _open)
        {
            _output.Clear();
            open.End(_output);
            if (_output.Length > 0 && _last?.DeepClone() is JsonObject frame)
            {
                frame["choices"] = new JsonArray(new JsonObject { ["text"] = _output.ToString(), ["index"] = index, ["logprobs"] = null, ["finish_reason"] = null });
                Write(output, $"data: {frame.ToJsonString(s_writing)}\n\n");
            }
        }

        _open.Clear();
    }

    private static JsonObject? Parse(string data)
    {
        try
        {
            return data.Length > 0 ? JsonNode.Parse(data) as JsonObject : null;
        }
        catch (JsonException)
        {
            return null; // the caller's to read
        }
    }

    private static string DataOf(string frame) =>
        string.Join('\n', frame.Split('\n').Select(static line => line.TrimEnd('\r')).Where(static line => line.StartsWith("data:", StringComparison.Ordinal)).Select(static line => line[5..].TrimStart(' ')));

    private static void Write(IBufferWriter<byte> output, string text) => output.Write(Encoding.UTF8.GetBytes(text));
}
