using Ballast.Sandbox.Recorded;

namespace Ballast.Sandbox;

/// <summary>Compares a request with what became of it in the other protocol: whatever was said on one side and is not said on the other is a difference.</summary>
public static class RequestCrossing
{
    /// <summary>Longest id of a tool call that Chat Completions takes.</summary>
    private const int ChatIdLengthMax = 40;

    /// <param name="fromApi">How <paramref name="from"/> looks.</param>
    /// <param name="from">The request as the caller sent it: differences point into it.</param>
    /// <param name="to">The request as the platform received it, in the other protocol.</param>
    /// <param name="toApi">How <paramref name="to"/> looks.</param>
    public static IReadOnlyList<WireDifference> Compare(string fromApi, ReadOnlyMemory<byte> from, string toApi, ReadOnlyMemory<byte> to)
    {
        RequestFacts? before = RequestFacts.Read(fromApi, from);
        RequestFacts? after = RequestFacts.Read(toApi, to);
        if (before is null || after is null)
        {
            return [new WireDifference("", "A request is no JSON object.")];
        }

        if (toApi == WireApi.Invoke || WireApi.FormOf(toApi) is WireApi.Gemini or WireApi.Converse)
        {
            // The address says whether a stream is wanted; whether one came is judged by the answer.
            after.Set("stream", "true", "");
        }

        Comparison comparison = new(before, after, WireApi.FormOf(toApi));
        comparison.Run();
        return VanishedWhole.Mark(comparison.Differences, before.Pointers);
    }

    /// <summary>One comparison; facts of the other side are used up as they are found.</summary>
    private sealed class Comparison(RequestFacts before, RequestFacts after, string form)
    {
        private readonly bool _isToChat = form == WireApi.Chat;

        private readonly List<SettingFact> _settings = [.. after.Settings];
        private readonly List<SpokenFact> _spoken = [.. after.Spoken];
        private readonly Dictionary<string, string> _ids = new(StringComparer.Ordinal);
        private readonly Dictionary<string, (int Fact, int Offset)> _textFrom = new(StringComparer.Ordinal);
        private (int Before, int After) _turn = (0, 0);

        public List<WireDifference> Differences { get; } = [];

        public void Run()
        {
            foreach (SettingFact fact in before.Settings)
            {
                // That the model shall reason is one wish, said by a switch, by an effort or by both.
                if (fact.Kind != "thinking" || fact == before.Settings.Find(other => other.Kind == fact.Kind && other.Value == fact.Value))
                {
                    CheckSetting(fact);
                }
            }

            before.Spoken.ForEach(CheckSpoken);
        }

        private void CheckSetting(SettingFact fact)
        {
            int at = _settings.FindIndex(other => other.Kind == fact.Kind && other.Value == fact.Value);
            // "Least" is off in one protocol and the smallest amount in another; off may be said by saying nothing.
            at = at < 0 && fact.Kind == "thinking" && fact.Value == "least" ? _settings.FindIndex(other => other.Kind == "thinking") : at;
            if (at >= 0)
            {
                _settings.RemoveAt(at);
                return;
            }

            bool isFree = fact is { Kind: "top_p" or "temperature", Value: "1" };
            bool isSchemaOfNothing = fact is { Kind: "tool schema" or "answer schema" } && _settings.Exists(other => other.Kind == fact.Kind && SchemaText.IsSame(fact.Value, other.Value));
            // Where an endpoint has no schemas for answers, the only tool that may be called has it.
            bool isEmulated = fact.Kind == "answer schema" && _settings.Exists(other => other.Kind == "tool schema" && SchemaText.IsSame(fact.Value, other.Value))
                && _settings.Exists(other => other.Kind == "tool choice");
            if (!isFree && !isSchemaOfNothing && !isEmulated)
            {
                Differences.Add(new WireDifference(fact.Pointer, $"{fact.Kind}: not on the other side"));
            }
        }

        private void CheckSpoken(SpokenFact fact)
        {
            int at = fact.Kind switch
            {
                "text" or "result text" or "title" => FindText(fact),
                "call" => FindCall(fact),
                "result" => _spoken.FindIndex(other => other.Kind == "result" && IsSameId(fact.Value, other.Value)),
                "result error" => after.Spoken.FindIndex(other => other.Kind == "result text" && other.Value.StartsWith("Error: ", StringComparison.Ordinal)),
                "document" => FindDocument(fact),
                "signature" or "redacted" => _spoken.FindIndex(other => other.Kind == fact.Kind && Bare(other.Value) == Bare(fact.Value)),
                _ => _spoken.FindIndex(other => other.Kind == fact.Kind && other.Value == fact.Value),
            };
            if (at < 0)
            {
                Differences.Add(new WireDifference(fact.Pointer, $"{fact.Speaker}'s {fact.Kind}: not on the other side"));
                return;
            }

            List<SpokenFact> side = fact.Kind is "text" or "result text" or "title" or "result error" ? after.Spoken : _spoken;
            SpokenFact found = side[at];
            if (fact.Speaker != RequestFacts.Instructor && found.Speaker == fact.Speaker && !IsInOrder(fact, found))
            {
                Differences.Add(new WireDifference(fact.Pointer, $"{fact.Speaker}'s {fact.Kind}: in another turn on the other side"));
            }

            if (side == _spoken)
            {
                _spoken.RemoveAt(at);
            }
        }

        private bool IsInOrder(SpokenFact fact, SpokenFact found)
        {
            if (fact.Turn > _turn.Before)
            {
                bool isLater = found.Turn >= _turn.After;
                _turn = (fact.Turn, Math.Max(found.Turn, _turn.After));
                return isLater;
            }

            _turn = (_turn.Before, Math.Max(found.Turn, _turn.After));
            return true;
        }

        /// <summary>Texts may be joined, but neither cut nor put in another order.</summary>
        private int FindText(SpokenFact fact)
        {
            string[] kinds = fact.Kind switch { "title" => ["title", "text", "result text"], "result text" => ["result text", "text"], _ => ["text"] };
            string track = fact.Speaker + fact.Kind;
            (int from, int offset) = _textFrom.GetValueOrDefault(track);
            for (int i = from; i < after.Spoken.Count; i++, offset = 0)
            {
                SpokenFact other = after.Spoken[i];
                int at = other.Speaker == fact.Speaker && kinds.Contains(other.Kind) ? PlaceIn(other, fact, offset) : -1;
                if (at >= 0)
                {
                    _textFrom[track] = fact.Kind == "title" ? (from, offset) : (i, at + fact.Value.Length);
                    return i;
                }
            }

            return -1;
        }

        /// <summary>A result may be JSON, which may be written with other white space; a title may have to do without some letters.</summary>
        private static int PlaceIn(SpokenFact other, SpokenFact fact, int offset)
        {
            int at = other.Value.IndexOf(fact.Value, Math.Min(offset, other.Value.Length), StringComparison.Ordinal);
            bool isSame = at < 0 && fact.Kind switch
            {
                "result text" => Dense(other.Value).Contains(Dense(fact.Value), StringComparison.Ordinal) || JsonWalk.CanonicalText(other.Value) == JsonWalk.CanonicalText(fact.Value),
                "title" => Letters(other.Value) == Letters(fact.Value),
                _ => false,
            };
            return isSame ? 0 : at;
        }

        private static string Dense(string text) => string.Concat(text.Where(letter => !char.IsWhiteSpace(letter)));

        private static string Letters(string text) => string.Concat(text.Where(char.IsAsciiLetterOrDigit));

        private int FindDocument(SpokenFact fact)
        {
            int at = _spoken.FindIndex(other => other.Kind == "document" && other.Value == fact.Value);
            return at >= 0 ? at : _spoken.FindIndex(other => other.Kind is "text" or "result text" && fact.Value.Length > 0 && other.Value.Contains(fact.Value, StringComparison.Ordinal));
        }

        private int FindCall(SpokenFact fact)
        {
            string[] call = fact.Value.Split('\n', 2);
            int at = _spoken.FindIndex(other => other.Kind == "call" && other.Value.Split('\n', 2) is [var id, var name] && IsSameName(call[1], name) && IsSameId(call[0], id));
            if (at >= 0)
            {
                _ids[call[0]] = _spoken[at].Value.Split('\n', 2)[0];
            }

            return at;
        }

        private static bool IsSameName(string one, string other) => one == other || !one.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

        /// <summary>An id stays what it is wherever the other protocol takes it; else another stands for it, always the same one.</summary>
        private bool IsSameId(string id, string other)
        {
            if (id == other || id.Length == 0 || (form == WireApi.Gemini && other.Length == 0))
            {
                return true;
            }

            bool mayStay = _isToChat ? id.Length <= ChatIdLengthMax : id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
            bool isRepeated = _ids.ContainsKey(id) && other.StartsWith(id, StringComparison.Ordinal);
            return isRepeated || (!mayStay && (!_ids.TryGetValue(id, out string? known) || known == other));
        }

        private static string Bare(string marked) => marked.StartsWith("ballast-thinking:", StringComparison.Ordinal) ? marked[(marked.IndexOf(':', 17) + 1)..] : marked;
    }
}
