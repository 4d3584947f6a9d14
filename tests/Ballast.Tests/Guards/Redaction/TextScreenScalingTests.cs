using System.Diagnostics;
using Ballast.Guards.Redaction;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>
/// Work grows with the text, not with its square, whatever it is made of: a text of sixteen times the size may take sixty-four times as long, and a megabyte of the worst
/// no longer than a busy machine excuses.
/// </summary>
public sealed class TextScreenScalingTests
{
    private const int Small = 20_000;
    private const int Growth = 16;
    private const int TimesMax = 64;
    private const int RoundsMax = 6;

    /// <summary>Shorter times are noise on a machine that does much else, and harm nobody.</summary>
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(20);

    public static TheoryData<string> Pieces =>
    [
        "@", "a@", "a.", "a@a.", "1", "1 ", "1-", "+1 ", "(1", "at ", " (at", "dot ", "-----BEGIN ", "-----BEGIN X PRIVATE KEY-----", "-----END", "eyJ", "eyJaaaaaaaaaaa.", "key=", "key: ", "key=key:", ":", "= ",
        "sk-", "sk-a1", "%25", "&amp;", "&#", "\\", "\\u00", "DE89 ", "DE", "EMAIL-", "EMAIL-0123456789", "://a:", "4111111111111111", "a b ", "aGVsbG8gd29ybGQ", "00", "\u200B", "\U000E0041", "\u0660", "tel ", "word ",
    ];

    [Theory]
    [MemberData(nameof(Pieces))]
    public void Run_TextOfOnePiece_TakesTimeThatGrowsWithIt(string piece)
    {
        string small = TextOf(piece, Small);
        string large = TextOf(piece, Small * Growth);
        Measure(small); // to be compiled
        TimeSpan one = TimeSpan.Zero;
        TimeSpan other = TimeSpan.Zero;
        for (int round = 0; round < RoundsMax; round++)
        {
            one = Measure(small);
            other = Measure(large);
            if (other < s_least || other.Ticks <= Math.Max(one.Ticks, s_least.Ticks) * TimesMax)
            {
                return;
            }
        }

        Assert.Fail($"'{piece}': {one.TotalMilliseconds} ms, and {other.TotalMilliseconds} ms for {Growth} times as much");
    }

    private static string TextOf(string piece, int length) => string.Concat(Enumerable.Repeat(piece, (length / piece.Length) + 1))[..length];

    private static TimeSpan Measure(string text)
    {
        RedactionPolicy policy = RedactionCorpusTests.Policy;
        RedactedValues values = new(policy);
        MatchFinder finder = new(policy);
        long start = Stopwatch.GetTimestamp();
        TextScreen.Run(policy, values, finder, ScreenMode.Hide, text);
        TextScreen.Run(policy, values, finder, ScreenMode.RestoreAndHide, text);
        TextScreen.Run(policy, values, finder, ScreenMode.Restore, text);
        return Stopwatch.GetElapsedTime(start);
    }
}
