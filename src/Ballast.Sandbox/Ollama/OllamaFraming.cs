using System.Text;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Ollama;

/// <summary>A stream as lines of JSON.</summary>
internal sealed class OllamaFraming : StreamFraming
{
    public static OllamaFraming Instance { get; } = new();

    public override string ContentType => "application/x-ndjson";

    public override byte[] Frame(StreamEvent next, bool isFirst) => Encoding.UTF8.GetBytes(next.Data + "\n");
}
