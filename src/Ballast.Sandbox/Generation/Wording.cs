namespace Ballast.Sandbox.Generation;

/// <summary>Plausible prose about the words of a prompt, of a length that the dice choose or the prompt asks for.</summary>
internal static class Wording
{
    /// <summary>Prose without a wish for length has at most this many sentences, far below 400 tokens.</summary>
    private const int MaxSentences = 7;

    /// <summary>The longest text that a prompt can ask for by a number of words.</summary>
    private const int MaxWords = 4000;

    private static readonly string[] Openings =
    [
        "Here is a short answer about {0}.",
        "There are a few things worth knowing about {0}.",
        "The main point about {0} is simple.",
        "Looking at {0}, one thing stands out first.",
        "In short, {0} comes down to a handful of choices.",
        "A good way into {0} is to begin with what it is for.",
    ];

    private static readonly string[] Middles =
    [
        "Most people begin with {0} and add {1} once the basics hold.",
        "It helps to keep {0} apart from {1}, because they change for different reasons.",
        "In practice {0} matters more than it seems at first.",
        "A careful look at {0} usually shows where the effort goes.",
        "The relation between {0} and {1} is what decides the rest.",
        "Where {0} is uncertain, a small trial says more than a long discussion.",
        "Teams that measure {0} early tend to avoid surprises with {1}.",
        "One common mistake is to treat {0} as finished when it has only begun.",
        "If time is short, start with {0} and leave {1} for later.",
        "The cost of {0} is low compared with what it saves.",
    ];

    private static readonly string[] Closings =
    [
        "That should be enough to go on with {0}.",
        "Tell me more about {0} and I can be more precise.",
        "For {0}, the next step is to try it with a real example.",
        "Beyond that, {0} depends on what you need it for.",
    ];

    private static readonly string[] Spare = ["the question", "the details", "the context", "the result"];

    public static string Prose(PromptWords words, ref Dice dice)
    {
        IReadOnlyList<string> topics = words.Significant.Count > 0 ? [.. words.Significant.Take(8).Select(Clip)] : Spare;
        int wanted = WantedWords(words);
        int middles = (int)dice.Next(1, MaxSentences - 2);
        string text = Fill(Openings, topics, ref dice, first: true);
        for (int i = 0; wanted > 0 ? CountWords(text) < wanted : i < middles; i++)
        {
            text += " " + Fill(Middles, topics, ref dice, first: false);
        }

        return wanted > 0 ? text : text + " " + Fill(Closings, topics, ref dice, first: false);
    }

    public static string Thought(PromptWords words, bool calls, ref Dice dice)
    {
        string topic = words.Significant.Count > 0 ? string.Join(", ", words.Significant.Take(4).Select(Clip)) : "a greeting";
        string[] openings = ["The user asks about ", "The request concerns ", "This is about "];
        string[] plans = calls
            ? [" A tool gives what is needed, so I will call it.", " I should use the tool for this instead of guessing."]
            : [" I will answer briefly and to the point.", " A clear and short answer is best.", " I know enough to answer directly."];
        return dice.Pick(openings) + topic + "." + dice.Pick(plans);
    }

    private static string Fill(string[] templates, IReadOnlyList<string> topics, ref Dice dice, bool first)
    {
        string one = first ? topics[0] : dice.Pick(topics);
        string other = topics.Count > 1 ? dice.Pick([.. topics.Where(topic => topic != one)]) : Spare[1];
        return dice.Pick(templates).Replace("{0}", one, StringComparison.Ordinal).Replace("{1}", other, StringComparison.Ordinal);
    }

    private static string Clip(string word) => word.Length > 40 ? word[..40] : word;

    private static int CountWords(string text) => text.Count(character => character == ' ') + 1;

    /// <summary>The number before "words" in the prompt, 0 where there is none.</summary>
    private static int WantedWords(PromptWords words)
    {
        for (int i = 1; i < words.All.Count; i++)
        {
            if (words.All[i].Equals("words", StringComparison.OrdinalIgnoreCase) && int.TryParse(words.All[i - 1], out int count))
            {
                return Math.Clamp(count, 1, MaxWords);
            }
        }

        return 0;
    }
}
