using System.Text;

namespace Ballast.Sandbox.Recorded;

/// <summary>One event of a stream: its bytes as they were sent, the blank line included, its name and its data.</summary>
internal sealed record EventText(string Raw, string Name, string Data);

/// <summary>Takes an event stream apart (WHATWG HTML, 9.2).</summary>
internal static class EventStreamText
{
    public static List<EventText> Split(ReadOnlySpan<byte> stream)
    {
        List<EventText> events = [];
        string rest = Encoding.UTF8.GetString(stream);
        int start = 0;
        int line = 0;
        while (line < rest.Length)
        {
            int end = rest.AsSpan(line).IndexOfAny('\n', '\r');
            int next = end < 0 ? rest.Length : line + end + (rest[line + end] == '\r' && line + end + 1 < rest.Length && rest[line + end + 1] == '\n' ? 2 : 1);
            if (end == 0 || next == rest.Length)
            {
                events.Add(Read(rest[start..next]));
                start = next;
            }

            line = next;
        }

        return events;
    }

    private static EventText Read(string raw)
    {
        string name = "";
        StringBuilder? data = null;
        foreach (string line in raw.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n'))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string field = colon < 0 ? line : line[..colon];
            string value = colon < 0 ? "" : line[(colon + 1)..];
            value = value.StartsWith(' ') ? value[1..] : value;
            if (field == "event")
            {
                name = value;
            }
            else if (field == "data")
            {
                data = data is null ? new StringBuilder(value) : data.Append('\n').Append(value);
            }
        }

        return new EventText(raw, name, data?.ToString() ?? "");
    }
}
