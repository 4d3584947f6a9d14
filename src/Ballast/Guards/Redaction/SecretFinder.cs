using System.Buffers;

namespace Ballast.Guards.Redaction;

/// <summary>
/// Finds what looks like a key: the beginnings that vendors give theirs, tokens of three parts (JWT), private keys in PEM, passwords in addresses, and whatever is as random
/// as a key behind a word such as <c>api_key=</c>.
/// </summary>
internal static class SecretFinder
{
    public const string PemBegin = "-----BEGIN";
    public const string PemEnd = "-----END";

    /// <summary>Longest key but for one in PEM, in characters.</summary>
    private const int LengthMax = TextWindow.MatchCharactersMax;

    /// <summary>Longest value behind a name, in characters.</summary>
    private const int ValueMax = 512;

    /// <summary>Most signs between a name and its value.</summary>
    private const int SignsMax = 8;

    /// <summary>Beginning, and the fewest characters that follow it.</summary>
    private static readonly (string Prefix, int Length)[] s_prefixes =
    [
        ("sk-ant-", 20), ("sk-proj-", 20), ("sk-or-", 20), ("sk-", 20), ("sk_live_", 16), ("sk_test_", 16), ("rk_live_", 16), ("rk_test_", 16), ("pk_live_", 16), ("whsec_", 20),
        ("AKIA", 16), ("ASIA", 16), ("AIza", 35), ("ya29.", 20), ("GOCSPX-", 20), ("ghp_", 30), ("gho_", 30), ("ghu_", 30), ("ghs_", 30), ("ghr_", 30), ("github_pat_", 30),
        ("glpat-", 18), ("xoxb-", 20), ("xoxp-", 20), ("xoxa-", 20), ("xoxs-", 20), ("xapp-", 20), ("SG.", 30), ("npm_", 30), ("pypi-", 30), ("dop_v1_", 40), ("hf_", 30), ("gsk_", 30),
        ("xai-", 30), ("pplx-", 30), ("nvapi-", 30), ("r8_", 30), ("AGE-SECRET-KEY-", 40), ("blst_", 40), ("tvly-", 20), ("dckr_pat_", 20), ("shpat_", 30),
    ];

    private static readonly SearchValues<char> s_first = SearchValues.Create([.. s_prefixes.Select(static one => one.Prefix[0]).Distinct()]);

    private static readonly SearchValues<char> s_code = SearchValues.Create("(){}$<>");

    private static readonly string[] s_words =
        ["apikey", "accesskey", "secret", "token", "passphrase", "privatekey", "authorization", "credential", "accountkey", "bearer", "signature", "auth", "cookie", "session"];

    private static readonly string[] s_passwords = ["password", "passwd", "pwd", "kennwort", "passwort", "contraseña", "motdepasse", "pass"];

    public static void Find(FoldedText text, List<TextMatch> found)
    {
        ReadOnlySpan<char> chars = text.Chars;
        FindPem(text, chars, found);
        FindPrefixed(text, chars, found);
        FindNamed(text, chars, found);
    }

    /// <summary>The name says that a secret follows.</summary>
    public static bool IsName(ReadOnlySpan<char> name) => KindOf(name) > 0;

    /// <summary>As random as a key; of a password less is asked.</summary>
    public static bool IsRandom(ReadOnlySpan<char> value, bool isPassword)
    {
        int lower = 0, upper = 0, digits = 0, signs = 0;
        foreach (char c in value)
        {
            lower += char.IsAsciiLetterLower(c) ? 1 : 0;
            upper += char.IsAsciiLetterUpper(c) ? 1 : 0;
            digits += char.IsAsciiDigit(c) ? 1 : 0;
            signs += char.IsAsciiLetterOrDigit(c) ? 0 : 1;
        }

        if (isPassword)
        {
            return value.Length >= 6 && lower + upper > 0 && (digits > 0 || (signs > 0 && lower > 0 && upper > 0)) && !IsCall(value);
        }

        double entropy = Entropy(value);
        return (value.Length >= 12 && lower > 0 && upper > 0 && digits > 0 && entropy >= 3) || (value.Length >= 20 && digits >= 4 && lower + upper >= 4 && entropy >= 3.2);
    }

    /// <summary>Code and templates: what stands for a value, not a value.</summary>
    private static bool IsCall(ReadOnlySpan<char> value) => value.IndexOfAny(s_code) >= 0;

    private static double Entropy(ReadOnlySpan<char> value)
    {
        Span<int> counts = stackalloc int[128];
        counts.Clear();
        foreach (char c in value)
        {
            counts[c & 127]++;
        }

        double entropy = 0;
        foreach (int count in counts)
        {
            if (count > 0)
            {
                double share = (double)count / value.Length;
                entropy -= share * Math.Log2(share);
            }
        }

        return entropy;
    }

    private static void FindPem(FoldedText text, ReadOnlySpan<char> chars, List<TextMatch> found)
    {
        int from = 0;
        while (chars[from..].IndexOf(PemBegin, StringComparison.Ordinal) is >= 0 and int begin)
        {
            begin += from;
            int label = begin + PemBegin.Length;
            int labelEnd = chars[label..].IndexOf("-----", StringComparison.Ordinal);
            if (labelEnd < 0)
            {
                return;
            }

            int end = chars[label..].IndexOf(PemEnd, StringComparison.Ordinal);
            int close = end < 0 ? -1 : chars[(label + end + PemEnd.Length)..].IndexOf("-----", StringComparison.Ordinal);
            int after = close < 0 ? chars.Length : label + end + PemEnd.Length + close + 5;
            if (chars.Slice(label, labelEnd).IndexOf("PRIVATE KEY", StringComparison.Ordinal) >= 0)
            {
                found.Add(new TextMatch(text.StartOf(begin), text.EndOf(after - 1), RedactionKind.Secret));
            }

            from = after;
        }
    }

    private static void FindPrefixed(FoldedText text, ReadOnlySpan<char> chars, List<TextMatch> found)
    {
        int at = 0;
        while (chars[at..].IndexOfAny(s_first) is >= 0 and int step)
        {
            at += step;
            int end = at + 1;
            if ((at == 0 || !char.IsAsciiLetterOrDigit(chars[at - 1])) && IsPrefixed(chars, at, ref end))
            {
                found.Add(new TextMatch(text.StartOf(at), text.EndOf(end - 1), RedactionKind.Secret));
            }

            at = end;
        }

        for (int jwt = chars.IndexOf("eyJ", StringComparison.Ordinal); jwt >= 0;)
        {
            int end = EndOfJwt(chars, jwt);
            if (end > 0)
            {
                found.Add(new TextMatch(text.StartOf(jwt), text.EndOf(end - 1), RedactionKind.Secret));
            }

            int from = Math.Max(end, jwt + 3);
            int next = chars[from..].IndexOf("eyJ", StringComparison.Ordinal);
            jwt = next < 0 ? -1 : from + next;
        }
    }

    /// <param name="end">Where it ends; where it is none, from where on to look again.</param>
    private static bool IsPrefixed(ReadOnlySpan<char> chars, int at, ref int end)
    {
        foreach ((string prefix, int length) in s_prefixes)
        {
            if (!chars[at..].StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            int after = EndOfToken(chars, at + prefix.Length);
            ReadOnlySpan<char> token = chars[(at + prefix.Length)..after];
            bool hasDigit = token.IndexOfAnyInRange('0', '9') >= 0;
            if (token.Length >= length && hasDigit)
            {
                end = after;
                return true;
            }

            if (!hasDigit)
            {
                end = Math.Max(end, after); // nothing that begins within it has one either
            }
        }

        return false;
    }

    private static int EndOfJwt(ReadOnlySpan<char> chars, int at)
    {
        if (at > 0 && char.IsAsciiLetterOrDigit(chars[at - 1]))
        {
            return 0;
        }

        int end = at;
        for (int part = 0; part < 3; part++)
        {
            int start = end;
            while (end < chars.Length && (char.IsAsciiLetterOrDigit(chars[end]) || chars[end] is '-' or '_'))
            {
                end++;
            }

            if (part < 2 && (end - start < 10 || end == chars.Length || chars[end++] != '.'))
            {
                return 0;
            }
        }

        return end;
    }

    private static int EndOfToken(ReadOnlySpan<char> chars, int at)
    {
        int end = at;
        while (end < chars.Length && end - at < LengthMax && (char.IsAsciiLetterOrDigit(chars[end]) || chars[end] is '-' or '_' or '.' or '/' or '+' or '='))
        {
            end++;
        }

        while (end > at && chars[end - 1] is '.' or '-')
        {
            end--;
        }

        return end;
    }

    /// <summary>0 for any other name, 1 for a key's, 2 for a password's.</summary>
    private static int KindOf(ReadOnlySpan<char> name)
    {
        Span<char> bare = stackalloc char[64];
        int length = 0;
        foreach (char c in name)
        {
            if (char.IsLetterOrDigit(c) && length < bare.Length)
            {
                bare[length++] = char.ToLowerInvariant(c);
            }
        }

        ReadOnlySpan<char> word = bare[..length];
        foreach (string password in s_passwords)
        {
            if (word.EndsWith(password, StringComparison.Ordinal))
            {
                return 2;
            }
        }

        foreach (string key in s_words)
        {
            if (word.IndexOf(key, StringComparison.Ordinal) >= 0)
            {
                return 1;
            }
        }

        return word.EndsWith("key", StringComparison.Ordinal) || word.SequenceEqual("sig") || word.SequenceEqual("basic") ? 1 : 0;
    }

    /// <summary>A name, a sign or a blank, and what is as random as a key; and the password within an address.</summary>
    private static void FindNamed(FoldedText text, ReadOnlySpan<char> chars, List<TextMatch> found)
    {
        for (int at = 0; at < chars.Length; at++)
        {
            if (chars[at] is not (':' or '=' or ' '))
            {
                continue;
            }

            if (chars[at] == ':' && chars[at..].StartsWith("://"))
            {
                FindInAddress(text, chars, at + 3, found);
                continue;
            }

            int nameEnd = at;
            while (nameEnd > 0 && at - nameEnd < SignsMax && chars[nameEnd - 1] is ' ' or '"' or '\'' or '`' or ':' or '*')
            {
                nameEnd--;
            }

            int name = nameEnd;
            while (name > 0 && nameEnd - name < 40 && (char.IsLetterOrDigit(chars[name - 1]) || chars[name - 1] is '_' or '-' or '.'))
            {
                name--;
            }

            int kind = KindOf(chars[name..nameEnd]);
            if (kind > 0 && TryValue(chars, at, kind == 2, out int start, out int end))
            {
                found.Add(new TextMatch(text.StartOf(start), text.EndOf(end - 1), RedactionKind.Secret));
                at = end - 1;
            }
        }
    }

    private static bool TryValue(ReadOnlySpan<char> chars, int at, bool isPassword, out int start, out int end)
    {
        start = at;
        while (start < chars.Length && start - at < SignsMax && chars[start] is ' ' or '"' or '\'' or '`' or ':' or '=' or '>')
        {
            start++;
        }

        end = start;
        while (end < chars.Length && end - start < ValueMax && !char.IsWhiteSpace(chars[end]) && chars[end] is not ('"' or '\'' or '`' or ',' or ';' or ')' or ']' or '}' or '<' or '&'))
        {
            end++;
        }

        while (end > start && chars[end - 1] is '.' or '!' or '?' && !isPassword)
        {
            end--;
        }

        return IsRandom(chars[start..end], isPassword);
    }

    private static void FindInAddress(FoldedText text, ReadOnlySpan<char> chars, int at, List<TextMatch> found)
    {
        int end = at;
        int colon = -1;
        while (end < chars.Length && !char.IsWhiteSpace(chars[end]) && chars[end] is not ('/' or '?' or '#' or '@' or '"'))
        {
            colon = colon < 0 && chars[end] == ':' ? end : colon;
            end++;
        }

        if (end < chars.Length && chars[end] == '@' && colon >= 0 && end - colon > 3)
        {
            found.Add(new TextMatch(text.StartOf(colon + 1), text.EndOf(end - 1), RedactionKind.Secret));
        }
    }
}
