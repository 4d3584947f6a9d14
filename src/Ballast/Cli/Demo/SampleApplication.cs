using System.Buffers;
using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>One of the organisation's applications, played: it holds conversations with a model through the gateway and knows nothing of what is behind it.</summary>
internal abstract class SampleApplication(string name, string key, int seed)
{
    private readonly Random _random = new(seed);

    public string Name { get; } = name;

    protected string Key { get; } = key;

    /// <summary>Holds one conversation of one or more requests. Numbers count up from 0.</summary>
    public abstract Task ConverseAsync(DemoClient client, int number, CancellationToken cancellation);

    protected string Pick(IReadOnlyList<string> choices)
    {
        lock (_random)
        {
            return choices[_random.Next(choices.Count)];
        }
    }

    /// <summary>From one to so many.</summary>
    protected int Roll(int max)
    {
        lock (_random)
        {
            return 1 + _random.Next(max);
        }
    }

    protected static ReadOnlyMemory<byte> Json(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    protected static void WriteMessage(Utf8JsonWriter json, string role, string content)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", content);
        json.WriteEndObject();
    }
}
