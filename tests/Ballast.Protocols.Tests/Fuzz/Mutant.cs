using System.Text;
using System.Text.Json;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Fuzz;

/// <summary>Bends sound bodies and streams: at the level of their structure most of the time, at that of their bytes now and then.</summary>
public static class Mutant
{
    /// <summary>Sound inputs by protocol and golden section (<c>request</c>, <c>response</c>, <c>stream</c>, <c>error</c>).</summary>
    public static IReadOnlyList<string> Seeds(string protocol, string section) =>
        [.. WireFile.Names().Where(name => name.StartsWith(protocol + "/", StringComparison.Ordinal)).Select(WireFile.Load).Select(file => file.Body(section)).OfType<string>()];

    public static byte[] OfBody(Dice dice, IReadOnlyList<string> seeds)
    {
        string seed = dice.Pick(seeds);
        if (dice.Chance(20))
        {
            return OfBytes(dice, Encoding.UTF8.GetBytes(seed));
        }

        return Encoding.UTF8.GetBytes(OfJson(dice, seed, 1 + dice.Below(4)));
    }

    public static byte[] OfStream(Dice dice, IReadOnlyList<string> seeds)
    {
        string seed = dice.Pick(seeds);
        List<string> frames = [.. seed.Split(seed.StartsWith('{') ? "\n" : "\n\n", StringSplitOptions.RemoveEmptyEntries)];
        int changes = 1 + dice.Below(4);
        for (int i = 0; i < changes; i++)
        {
            Bend(dice, frames);
        }

        string end = dice.Pick("\n", "\n", "\r\n", "\r");
        string text = string.Join(end + end, frames.Select(frame => frame.Replace("\n", end))) + (dice.Chance(80) ? end + end : "");
        byte[] body = Encoding.UTF8.GetBytes(dice.Chance(5) ? "\uFEFF" + text : text);
        return dice.Chance(15) ? OfBytes(dice, body) : body;
    }

    private static void Bend(Dice dice, List<string> frames)
    {
        if (frames.Count == 0)
        {
            frames.Add("data: {}");
        }

        int at = dice.Below(frames.Count);
        switch (dice.Below(12))
        {
            case 0:
                frames.RemoveAt(at);
                break;
            case 1:
                frames.Insert(dice.Below(frames.Count), frames[at]);
                break;
            case 2:
                (frames[at], frames[0]) = (frames[0], frames[at]);
                break;
            case 3:
                frames.Insert(at, dice.Pick(": comment", ":", "event: ping\ndata: {\"type\":\"ping\"}", "retry: 10", "id: 7", "data", "event: unknown\ndata: {\"type\":\"unknown\"}", "data: [DONE]", "{\"error\":{\"message\":\"x\"}}"));
                break;
            case 4:
                frames[at] = frames[at].Replace("event: ", dice.Pick("event:", "event: x", "id: "));
                break;
            case 5:
                // JSON may be broken at any space between tokens: the lines are joined again.
                int comma = frames[at].IndexOf(",\"", StringComparison.Ordinal);
                frames[at] = comma > 0 ? frames[at].Insert(comma + 1, "\ndata: ") : frames[at];
                break;
            case 6:
                frames.RemoveRange(at, frames.Count - at);
                break;
            default:
                if (frames[at].StartsWith('{'))
                {
                    frames[at] = OfJson(dice, frames[at], 1 + dice.Below(3));
                    break;
                }

                int data = frames[at].IndexOf("data: {", StringComparison.Ordinal);
                if (data >= 0 && !frames[at].AsSpan(data).Contains('\n'))
                {
                    frames[at] = frames[at][..(data + 6)] + OfJson(dice, frames[at][(data + 6)..], 1 + dice.Below(3));
                }

                break;
        }
    }

    public static string OfJson(Dice dice, string json, int changes)
    {
        JsonTree tree;
        try
        {
            tree = JsonTree.Parse(Encoding.UTF8.GetBytes(json));
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Bent beyond what a document can hold by an earlier change.
            return json;
        }

        for (int i = 0; i < changes; i++)
        {
            tree.Mutate(dice);
        }

        return tree.ToString();
    }

    public static byte[] OfBytes(Dice dice, byte[] bytes)
    {
        List<byte> body = [.. bytes];
        for (int i = 1 + dice.Below(6); i > 0 && body.Count > 0; i--)
        {
            int at = dice.Below(body.Count);
            switch (dice.Below(5))
            {
                case 0:
                    body[at] = (byte)dice.Below(256);
                    break;
                case 1:
                    body.RemoveAt(at);
                    break;
                case 2:
                    body.Insert(at, dice.Pick((byte)'"', (byte)'{', (byte)'}', (byte)'\\', (byte)'\n', (byte)'\r', (byte)0, (byte)0xFF, (byte)0xED, (byte)':'));
                    break;
                case 3:
                    body.RemoveRange(at, Math.Min(body.Count - at, dice.Below(40)));
                    break;
                default:
                    body.InsertRange(at, body.GetRange(at, Math.Min(body.Count - at, dice.Below(40))));
                    break;
            }
        }

        return [.. body];
    }
}
