using System.Text;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Breaks requests in ways that are never a request again, as the seed decides.</summary>
internal sealed class BodyMutator(int seed)
{
    private static readonly string[] Wrong = ["7", "-1e400", "true", "\"hammer\"", "[[]]", "{\"a\":[]}", "1.5", "\"\\ud800\""];

    private readonly Random _random = new(seed);

    /// <summary>Never well-formed, or never with the types of a request.</summary>
    public byte[] Next(string model)
    {
        string valid = $$$"""
            {"model":"{{{model}}}","max_tokens":50,"messages":[{"role":"user","content":"Grüße, 世界 🌍 {{{_random.Next()}}}"},{"role":"assistant","content":[{"type":"text","text":"a\n\"b\""}]},{"role":"user","content":[{"type":"text","text":"\u00e9\ud83d\ude00"}]}],"temperature":0.5,"stream":false,"metadata":{"x":[null,2.5e3,true]}}
            """.Trim();
        byte[] bytes = Encoding.UTF8.GetBytes(valid);
        return _random.Next(10) switch
        {
            0 => bytes[.._random.Next(bytes.Length)],
            1 => Insert(bytes, [(byte)_random.Next(0x00, 0x09)]),
            2 => Insert(bytes, _random.Next(3) switch { 0 => [0xFF], 1 => [0xC0, 0x80], _ => [0xED, 0xBF, 0xBF] }),
            3 => [.. bytes, (byte)"{}[],:\"0x"[_random.Next(9)]],
            4 => Garbage(),
            5 => Encoding.UTF8.GetBytes(valid.Insert(1, Field() + ",")),
            6 => Encoding.UTF8.GetBytes(Replace(valid, "[null,2.5e3,true]", new string('[', _random.Next(62, 5000)))),
            7 => Encoding.UTF8.GetBytes(Replace(valid, "[null,2.5e3,true]", Nested(_random.Next(63, 2000)))),
            8 => Encoding.UTF8.GetBytes(Mistyped(valid, model)),
            _ => Punctuation(bytes),
        };
    }

    private byte[] Insert(byte[] bytes, byte[] unit)
    {
        // Past the first brace: before it, nothing would be told of the position.
        int at = _random.Next(1, bytes.Length);
        return [.. bytes[..at], .. unit, .. bytes[at..]];
    }

    private byte[] Garbage()
    {
        byte[] bytes = new byte[_random.Next(1, 300)];
        _random.NextBytes(bytes);
        bytes[0] = (byte)"<{[\"nt-0#\0"[_random.Next(10)];
        return bytes;
    }

    private string Field() => _random.Next(4) switch { 0 => "\"model\":\"other\"", 1 => "\"messages\":[]", 2 => "\"stream\":true", _ => "\"m\\u006fdel\":\"other\"" };

    private string Mistyped(string valid, string model)
    {
        string wrong = Wrong[_random.Next(Wrong.Length)];
        return _random.Next(3) switch
        {
            0 => Replace(valid, $"\"model\":\"{model}\",", ""),
            1 => Replace(valid, "\"stream\":false", $"\"stream\":{(wrong == "true" ? "0" : wrong)}"),
            _ => Replace(valid, "\"max_tokens\":50", $"\"max_tokens\":{(wrong is "7" ? "\"7\"" : wrong)}"),
        };
    }

    /// <summary>Takes one bracket, colon or comma of the outer form away, of which none can be spared.</summary>
    private byte[] Punctuation(byte[] bytes)
    {
        bool isText = false;
        List<int> places = [];
        for (int i = 0; i < bytes.Length; i++)
        {
            isText ^= bytes[i] == (byte)'"' && bytes[i - 1] != (byte)'\\';
            if (!isText && "{}[]:,"u8.Contains(bytes[i]))
            {
                places.Add(i);
            }
        }

        int at = places[_random.Next(places.Count)];
        return [.. bytes[..at], .. bytes[(at + 1)..]];
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    private static string Replace(string text, string old, string @new) =>
        text.Contains(old, StringComparison.Ordinal) ? text.Replace(old, @new, StringComparison.Ordinal) : throw new InvalidOperationException(old);
}
