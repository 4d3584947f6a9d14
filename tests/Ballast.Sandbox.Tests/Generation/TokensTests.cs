using Ballast.Sandbox.Generation;
using CsCheck;

namespace Ballast.Sandbox.Tests.Generation;

public class TokensTests
{
    [Fact]
    public void Split_AnyText_JoinsToTheTextAndCountsItsTokens() => Gen.String[Gen.OneOf(
        Gen.Char['a', 'z'], Gen.OneOf([.. " \né漢字\u200d.7".Select(Gen.Const)])), 0, 80].Sample(text =>
    {
        string emoji = text + " 👩‍👩‍👧 " + text;
        List<(string Text, int Tokens)> parts = Tokens.Split(emoji);
        Assert.Equal(emoji, string.Concat(parts.Select(part => part.Text)));
        Assert.Equal(Tokens.Count(emoji), parts.Sum(part => part.Tokens));
        Assert.All(parts, part => Assert.False(char.IsLowSurrogate(part.Text[0])));
    });

    [Fact]
    public void Count_KnownText_IsO200k() => Assert.Equal(4, Tokens.Count("Hello world, hello"));

    [Fact]
    public void Count_LongProse_IsWhatOneSliceWouldCount()
    {
        const string Sentence = "The relation between tides and the moon decides the rest. ";
        int one = Tokens.Count(Sentence);
        Assert.InRange(Tokens.Count(string.Concat(Enumerable.Repeat(Sentence, 500))), (one - 1) * 500, one * 500);
    }

    [Fact]
    public void Count_OneWordOfMegabytes_TakesTimeInProportion()
    {
        double small = Enumerable.Range(0, 3).Min(_ => Seconds(125_000));

        // Sixteen times the word: in proportion sixteen times the time, by the square of it 256. A busy machine lies between.
        Assert.InRange(Enumerable.Range(0, 3).Min(_ => Seconds(2_000_000)) / small, 0, 128);

        static double Seconds(int length)
        {
            System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();
            Assert.True(Tokens.Count(new string('a', length)) > length / 1000);
            return watch.Elapsed.TotalSeconds;
        }
    }
}
