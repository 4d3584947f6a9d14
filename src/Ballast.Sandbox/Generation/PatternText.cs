using System.Text;

namespace Ballast.Sandbox.Generation;

/// <summary>
/// Makes a text for a simple regular expression: literals, classes, groups, alternatives and counted repeats.
/// What it does not know it passes over; the caller checks the result.
/// </summary>
internal ref struct PatternText
{
    private const int MaxRepeats = 3;
    private const int MaxDepth = 20;

    private readonly ReadOnlySpan<char> _pattern;
    private int _at;
    private Dice _dice;

    private PatternText(ReadOnlySpan<char> pattern, Dice dice)
    {
        _pattern = pattern;
        _dice = dice;
    }

    public static string Make(string pattern, ref Dice dice)
    {
        PatternText maker = new(pattern, dice);
        string text = maker.Alternatives(0);
        dice.NextBits();
        return text;
    }

    private string Alternatives(int depth)
    {
        List<string> choices = [Sequence(depth)];
        while (_at < _pattern.Length && _pattern[_at] == '|')
        {
            _at++;
            choices.Add(Sequence(depth));
        }

        return _dice.Pick(choices);
    }

    private string Sequence(int depth)
    {
        StringBuilder text = new();
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            int start = _at;
            string atom = Atom(depth);
            int end = _at;
            (int least, int most) = Repeat();
            int after = _at;
            long wanted = _dice.Next(least, most);
            for (int i = 0; i < wanted; i++)
            {
                text.Append(atom);
                if (i + 1 < wanted)
                {
                    _at = start;
                    atom = Atom(depth);
                    _at = end;
                }
            }

            _at = after;
        }

        return text.ToString();
    }

    private string Atom(int depth)
    {
        char next = _pattern[_at++];
        switch (next)
        {
            case '^' or '$':
                return "";
            case '.':
                return Letter();
            case '[':
                return Class();
            case '(' when depth < MaxDepth:
                if (_pattern[_at..].StartsWith("?:", StringComparison.Ordinal))
                {
                    _at += 2;
                }

                string group = Alternatives(depth + 1);
                _at = Math.Min(_pattern.Length, _at + 1);
                return group;
            case '\\' when _at < _pattern.Length:
                return Escaped(_pattern[_at++]);
            default:
                return next.ToString();
        }
    }

    private string Escaped(char escape) => escape switch
    {
        'd' => Between('0', '9').ToString(),
        'w' => Letter(),
        's' => " ",
        'b' or 'B' or 'A' or 'z' or 'Z' => "",
        'n' => "\n",
        't' => "\t",
        _ => escape.ToString(),
    };

    private string Class()
    {
        bool isNegated = _at < _pattern.Length && _pattern[_at] == '^';
        _at += isNegated ? 1 : 0;
        List<string> choices = [];
        bool first = true;
        while (_at < _pattern.Length && (first || _pattern[_at] != ']'))
        {
            first = false;
            char low = _pattern[_at++];
            if (low == '\\' && _at < _pattern.Length)
            {
                choices.Add(Escaped(_pattern[_at++]));
            }
            else if (_at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                choices.Add(Between(low, _pattern[_at + 1]).ToString());
                _at += 2;
            }
            else
            {
                choices.Add(low.ToString());
            }
        }

        _at = Math.Min(_pattern.Length, _at + 1);
        return isNegated ? Letter() : _dice.Pick(choices);
    }

    private (int Least, int Most) Repeat()
    {
        (int Least, int Most) repeat = (1, 1);
        if (_at >= _pattern.Length)
        {
            return repeat;
        }

        switch (_pattern[_at])
        {
            case '?':
                _at++;
                repeat = (0, 1);
                break;
            case '*':
                _at++;
                repeat = (0, MaxRepeats);
                break;
            case '+':
                _at++;
                repeat = (1, MaxRepeats);
                break;
            case '{' when _pattern[_at..].IndexOf('}') is int length and > 0:
                ReadOnlySpan<char> inside = _pattern.Slice(_at + 1, length - 1);
                int comma = inside.IndexOf(',');
                _ = int.TryParse(comma < 0 ? inside : inside[..comma], out int least);
                int most = comma < 0 ? least : int.TryParse(inside[(comma + 1)..], out int told) ? told : least + MaxRepeats;
                _at += length + 1;
                repeat = (Math.Min(least, 1000), Math.Min(most, 1000));
                break;
        }

        if (_at < _pattern.Length && _pattern[_at] == '?')
        {
            _at++;
        }

        return repeat;
    }

    private string Letter() => Between('a', 'z').ToString();

    private char Between(char low, char high) => (char)_dice.Next(low, high);
}
