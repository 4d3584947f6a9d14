namespace Ballast.Protocols.Tests.Fuzz;

/// <summary>All chance of a generated case: one seed gives the same case on every machine.</summary>
public sealed class Dice(int seed)
{
    private static readonly string[] s_texts =
    [
        "", "a", " ", "hello world", "ünïcödé", "日本語のテキスト", "👩‍👩‍👧‍👦", "\"quoted\\\"", "line\nbreak\r\n", "tab\t", "\u0000", "\u2028", "</script>",
        "data: [DONE]", "event: error", "{\"a\":1}", "../..", "ballast-thinking:", "ballast-thinking:anthropic:c2ln", "null", "-1", new string('x', 300),
    ];

    private static readonly string[] s_numbers =
        ["0", "1", "-1", "-0", "1.5", "1e3", "1E400", "-1e-400", "2147483648", "9223372036854775807", "9223372036854775808", "123456789012345678901234567890", "0.1e1"];

    private readonly Random _random = new(seed);

    public int Below(int limit) => _random.Next(limit);

    public bool Chance(int percent) => _random.Next(100) < percent;

    public T Pick<T>(params IReadOnlyList<T> choices) => choices[_random.Next(choices.Count)];

    public string Text() => Pick(s_texts);

    public string NumberText() => Pick(s_numbers);
}
