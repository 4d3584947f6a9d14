using System.Buffers;

namespace Ballast.Protocols.Framing;

/// <summary>One replacement in a body: the bytes of <paramref name="Span"/> give way to <paramref name="Replacement"/> (a span of length 0 inserts).</summary>
public readonly record struct JsonEdit(JsonSpan Span, ReadOnlyMemory<byte> Replacement);

/// <summary>Replaces single values in raw JSON and leaves every other byte as it was.</summary>
public static class JsonSplice
{
    /// <summary>Writes <paramref name="body"/> with the edits applied, which must be sorted by start and not overlap.</summary>
    public static void Write(ReadOnlySpan<byte> body, ReadOnlySpan<JsonEdit> edits, IBufferWriter<byte> output)
    {
        int position = 0;
        foreach (JsonEdit edit in edits)
        {
            output.Write(body[position..edit.Span.Start]);
            output.Write(edit.Replacement.Span);
            position = edit.Span.End;
        }

        output.Write(body[position..]);
    }
}
