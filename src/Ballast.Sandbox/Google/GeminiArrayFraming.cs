using System.Text;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Google;

/// <summary>A stream as one array of JSON, which is what comes where events are not asked for.</summary>
internal sealed class GeminiArrayFraming : StreamFraming
{
    public static GeminiArrayFraming Instance { get; } = new();

    public override string ContentType => "application/json; charset=UTF-8";

    public override byte[] Frame(StreamEvent next, bool isFirst) => Encoding.UTF8.GetBytes((isFirst ? "[" : ",\r\n") + next.Data);

    public override byte[] Close(bool isEmpty) => Encoding.UTF8.GetBytes(isEmpty ? "[]" : "\r\n]\r\n");
}
