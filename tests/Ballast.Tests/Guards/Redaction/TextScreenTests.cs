using System.Text;
using Ballast.Configuration;
using Ballast.Guards.Redaction;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>A text in pieces is treated as the same text at once, and nothing leaves early that has to wait.</summary>
public sealed class TextScreenTests
{
    private const int Seed = 7_103;

    private static readonly RedactionPolicy s_words = RedactionPolicy.Of(new RedactionOptions { Kinds = RedactionOptions.AllKinds, RedactsAnswers = true }, "one");
    private static readonly RedactionPolicy s_lines = RedactionPolicy.Of(
        new RedactionOptions { Kinds = RedactionOptions.AllKinds, Patterns = [new("project", "[Pp]roject \\w+"), new("staff", "EMP-[0-9]{6}")], RedactsAnswers = true }, "two");

    [Fact]
    public void Push_AnySplitting_EqualsTheWholeText() => Split(splittings: 12_000);

    [LongFact]
    public void Push_AnySplittingOfMany_EqualsTheWholeText() => Split(splittings: 150_000);

    [Theory]
    [InlineData("mail mara@example.com now", "mail EMAIL- now")]
    [InlineData("mara (at) example (dot) com", "EMAIL-")]
    [InlineData("we meet at example.com at noon", "we meet at example.com at noon")]
    [InlineData("pay 4111 1111 1111 1111 12/27", "pay CARD- 12/27")]
    [InlineData("4111 1111 1111 1112", "4111 1111 1111 1112")]
    [InlineData("GB82 WEST 1234 5698 7654 32.", "IBAN-.")]
    [InlineData("GB83 WEST 1234 5698 7654 32.", "GB83 WEST 1234 5698 7654 32.")]
    [InlineData("call +49 30 901820, please", "call PHONE-, please")]
    [InlineData("call 5550123456", "call PHONE-")]
    [InlineData("order 5550123456", "order 5550123456")]
    [InlineData("on 01.02.2024 10:30 at 192.168.100.200", "on 01.02.2024 10:30 at 192.168.100.200")]
    [InlineData("password: hunter2x!", "password: SECRET-")]
    [InlineData("https://user:s3cretpw@db.example.net/x", "https://user:EMAIL-/x")]
    [InlineData("key=aGk3Jx92LmQ8RtZw and more", "key=SECRET- and more")]
    [InlineData("git@github.com:someone/thing icon@2x.png @media x@y", "git@github.com:someone/thing icon@2x.png @media x@y")]
    public void Run_KnownTexts_AreAsExpected(string text, string expected)
    {
        string hidden = TextScreen.Run(s_words, new RedactedValues(s_words), new MatchFinder(s_words), ScreenMode.Hide, text);
        StringBuilder bare = new();
        int from = 0;
        while (Placeholder.TryNext(hidden, from, s_words.Labels, out int start, out int end))
        {
            bare.Append(hidden, from, end - Placeholder.CodeLength - from);
            from = end;
        }

        Assert.Equal(expected, bare.Append(hidden, from, hidden.Length - from).ToString());
    }

    [Fact]
    public void Run_SameValueInTwoTurns_HasTheSamePlaceholderAndAnotherAppAnother()
    {
        string one = Hide(s_words, "mara@example.com");

        Assert.Equal(one, Hide(s_words, "mara@example.com"));
        Assert.NotEqual(one, Hide(s_lines, "mara@example.com"));
        Assert.Equal(one, Hide(s_words, one));
    }

    [Fact]
    public void Run_PatternOfOnesOwn_IsFoundAcrossBlanks()
    {
        string hidden = Hide(s_lines, "Ask about project Falcon, EMP-123456.");

        Assert.DoesNotContain("Falcon", hidden, StringComparison.Ordinal);
        Assert.DoesNotContain("123456", hidden, StringComparison.Ordinal);
        Assert.Contains("STAFF-", hidden, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_JsonText_StaysJsonAndGivesTheValueBack()
    {
        const string value = "say \"project \\ x\"\n";
        RedactionPolicy policy = RedactionPolicy.Of(new RedactionOptions { Patterns = [new("quoted", "say \"[^\"]*\"\n")] }, "three");
        RedactedValues values = new(policy);
        string placeholder = values.Hide("QUOTED", value);

        string json = TextScreen.Run(policy, values, new MatchFinder(policy), ScreenMode.Restore, $"{{\"note\":\"{placeholder}\"}}", isJson: true);

        Assert.Equal(value, System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("note").GetString());
    }

    [Fact]
    public void Run_PrivateKeyLongerThanAWindow_LeavesNothingOfIt()
    {
        string body = new SampleValues(new Random(Seed)).Text("ABCDEFGHJKMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz", 3 * TextWindow.PemCharactersMax);
        string key = $"-----BEGIN PRIVATE KEY-----\n{string.Join('\n', body.Chunk(64).Select(static line => new string(line)))}\n-----END PRIVATE KEY-----";

        string hidden = Hide(s_words, $"before {key} after");

        Assert.StartsWith("before ", hidden, StringComparison.Ordinal);
        Assert.EndsWith(" after", hidden, StringComparison.Ordinal);
        Assert.True(hidden.Length < 200, hidden);
    }

    [Fact]
    public void Run_ValueInTheMiddleOfAnEndlessWord_IsFound()
    {
        for (int before = TextWindow.CharactersMax - 40; before < TextWindow.CharactersMax + 40; before += 3)
        {
            string hidden = Hide(s_words, new string('/', before) + "mara@example.com" + new string('/', 3 * TextWindow.CharactersMax));

            Assert.DoesNotContain("mara", hidden, StringComparison.Ordinal);
            Assert.DoesNotContain("example", hidden, StringComparison.Ordinal);
        }
    }

    private static string Hide(RedactionPolicy policy, string text) => TextScreen.Run(policy, new RedactedValues(policy), new MatchFinder(policy), ScreenMode.Hide, text);

    private static void Split(int splittings)
    {
        Random random = new(Seed);
        SampleValues samples = new(random);
        for (int done = 0; done < splittings;)
        {
            RedactionPolicy policy = random.Next(3) == 0 ? s_lines : s_words;
            RedactedValues values = new(policy);
            MatchFinder finder = new(policy);
            string text = TextOf(random, samples);
            string hidden = TextScreen.Run(policy, values, finder, ScreenMode.Hide, text);
            string answer = hidden + " " + TextOf(random, samples);
            foreach ((ScreenMode mode, string given, bool isJson) in new[]
            {
                (ScreenMode.Hide, text, false), (ScreenMode.Restore, answer, false), (ScreenMode.Restore, answer, true), (ScreenMode.RestoreAndHide, answer, false), (ScreenMode.RestoreAndHide, answer, true),
            })
            {
                string whole = TextScreen.Run(policy, values, finder, mode, given, isJson);
                for (int i = 0; i < 6; i++, done++)
                {
                    AssertSame(new TextScreen(policy, values, finder, mode, isJson), given, whole, i == 0 ? 1 : random.Next(1, 30), random);
                }
            }
        }
    }

    /// <summary>What has been released at any moment is the beginning of what the whole text gives: then nothing of a value was among it.</summary>
    private static void AssertSame(TextScreen screen, string given, string whole, int pieceMax, Random random)
    {
        StringBuilder piece = new();
        int released = 0;
        for (int at = 0; at < given.Length;)
        {
            int length = Math.Min(given.Length - at, random.Next(1, pieceMax + 1));
            piece.Clear();
            screen.Push(given.AsSpan(at, length), piece);
            at += length;
            Assert.True(whole.AsSpan(released).StartsWith(piece.ToString(), StringComparison.Ordinal), $"released too early of:\n{given}\n{piece}\nwhole:\n{whole}");
            released += piece.Length;
        }

        piece.Clear();
        screen.End(piece);
        Assert.Equal(whole[released..], piece.ToString());
    }

    /// <summary>Invented text with values in it, plain and disguised.</summary>
    internal static string TextOf(Random random, SampleValues samples)
    {
        CleanText clean = new(random);
        StringBuilder text = new();
        int count = random.Next(1, 6);
        for (int i = 0; i < count; i++)
        {
            string kind = RedactionKind.All[random.Next(RedactionKind.All.Count)];
            string value = random.Next(6) == 0 ? samples.Named() : samples.Of(kind);
            (string _, string[] kinds, Func<string, string> apply) = Disguises.All[random.Next(Disguises.All.Count)];
            text.Append(clean.Sentences(1).First()).Append(random.Next(4) == 0 ? "\n" : " ").Append(random.Next(2) == 0 && kinds.Contains(kind) ? apply(value) : value)
                .Append(random.Next(5) switch { 0 => "", 1 => ", ", 2 => "\n", 3 => " 谢谢你", _ => " " });
        }

        return text.Append(random.Next(4) == 0 ? "project Falcon EMP-123456" : "").ToString();
    }
}
