using System.Text;
using Ballast.Guards.Redaction;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>Ways to write a value so that a plain pattern misses it, by name, with the kinds that each can be done to.</summary>
internal static class Disguises
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private static readonly string[] s_all = [RedactionKind.Email, RedactionKind.Phone, RedactionKind.Iban, RedactionKind.Card];
    private static readonly string[] s_email = [RedactionKind.Email];
    private static readonly string[] s_digits = [RedactionKind.Phone, RedactionKind.Iban, RedactionKind.Card];
    private static readonly string[] s_grouped = [RedactionKind.Iban, RedactionKind.Card];

    public static IReadOnlyList<(string Name, string[] Kinds, Func<string, string> Apply)> All { get; } =
    [
        ("full width", s_all, static text => Each(text, static c => c is > ' ' and <= '~' ? ((char)(c + 0xFEE0)).ToString() : c.ToString())),
        ("full-width digits", s_digits, static text => Each(text, static c => char.IsAsciiDigit(c) ? ((char)(c + 0xFEE0)).ToString() : c.ToString())),
        ("full-width at", s_email, static text => text.Replace('@', '＠')),
        ("small at", s_email, static text => text.Replace('@', '﹫')),
        ("zero-width space", s_all, static text => Between(text, "\u200B")),
        ("zero-width non-joiner", s_all, static text => Between(text, "\u200C")),
        ("zero-width joiner", s_all, static text => Between(text, "\u200D")),
        ("soft hyphen", s_all, static text => Between(text, "\u00AD")),
        ("word joiner", s_all, static text => Between(text, "\u2060")),
        ("byte order mark", s_all, static text => Between(text, "\uFEFF")),
        ("variation selector", s_all, static text => Between(text, "\uFE0F")),
        ("grapheme joiner", s_all, static text => Between(text, "\u034F")),
        ("combining marks", s_all, static text => Each(text, static c => char.IsAsciiLetterOrDigit(c) ? c + "\u0323" : c.ToString())),
        ("right-to-left marks", s_all, static text => Between(text, "\u200F")),
        ("bidirectional isolates", s_all, static text => $"\u2066{Between(text, "\u2069\u2066")}\u2069"),
        ("single tags", s_all, static text => Between(text, "\U000E0041")),
        ("all in tags", s_all, static text => Each(text, static c => new Rune(0xE0000 + c).ToString())),
        ("Hangul filler", s_all, static text => Between(text, "\u3164")),
        ("percent", s_all, static text => Each(text, static c => $"%{(int)c:X2}")),
        ("percent of signs", s_email, static text => Each(text, static c => char.IsAsciiLetterOrDigit(c) ? c.ToString() : $"%{(int)c:x2}")),
        ("percent twice", s_all, static text => Each(text, static c => $"%25{(int)c:X2}")),
        ("percent of full width", s_email, static text => text.Replace("@", "%EF%BC%A0")),
        ("entities, decimal", s_all, static text => Each(text, static c => $"&#{(int)c};")),
        ("entities, hexadecimal", s_all, static text => Each(text, static c => $"&#x{(int)c:x};")),
        ("entities, padded", s_all, static text => Each(text, static c => $"&#{(int)c:0000};")),
        ("entities by name", s_email, static text => text.Replace("@", "&commat;").Replace(".", "&period;").Replace("+", "&plus;").Replace("_", "&lowbar;")),
        ("entities twice", s_email, static text => text.Replace("@", "&amp;#64;").Replace(".", "&amp;#46;")),
        ("JSON escapes", s_all, static text => Each(text, static c => $"\\u{(int)c:x4}")),
        ("JSON escapes twice", s_all, static text => Each(text, static c => $"\\\\u{(int)c:x4}")),
        ("JSON escape of the at", s_email, static text => text.Replace("@", "\\u0040")),
        ("C escapes", s_all, static text => Each(text, static c => $"\\x{(int)c:x2}")),
        ("base64", s_all, static text => Convert.ToBase64String(Encoding.UTF8.GetBytes(text))),
        ("base64url", s_all, static text => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_')),
        ("hexadecimal", s_all, static text => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text))),
        ("(at) (dot)", s_email, static text => text.Replace("@", "(at)").Replace(".", "(dot)")),
        ("[at] [dot]", s_email, static text => text.Replace("@", " [at] ").Replace(".", " [dot] ")),
        ("{at}", s_email, static text => text.Replace("@", "{at}")),
        ("[.]", s_email, static text => text.Replace(".", "[.]")),
        ("at dot", s_email, static text => text.Replace("@", " at ").Replace(".", " dot ")),
        ("AT DOT", s_email, static text => text.Replace("@", " AT ").Replace(".", " DOT ")),
        ("-at- -dot-", s_email, static text => text.Replace("@", "-at-").Replace(".", "-dot-")),
        ("blanks around the at", s_email, static text => text.Replace("@", " @ ")),
        ("spaced letters", s_email, static text => string.Join(' ', text.AsEnumerable())),
        ("spaced digits", [RedactionKind.Card], static text => string.Join(' ', text.Replace(" ", "").Replace("-", "").AsEnumerable())),
        ("mathematical bold", s_all, static text => Math(text, 0x1D400, 0x1D7CE)),
        ("mathematical sans-serif", s_all, static text => Math(text, 0x1D5A0, 0x1D7E2)),
        ("mathematical monospace", s_all, static text => Math(text, 0x1D670, 0x1D7F6)),
        ("mathematical fraktur bold", s_all, static text => Math(text, 0x1D56C, 0x1D7D8)),
        ("circled", s_all, static text => Each(text, Circled)),
        ("superscript digits", s_digits, static text => Each(text, static c => char.IsAsciiDigit(c) ? "⁰¹²³⁴⁵⁶⁷⁸⁹"[c - '0'].ToString() : c.ToString())),
        ("subscript digits", s_digits, static text => Each(text, static c => char.IsAsciiDigit(c) ? "₀₁₂₃₄₅₆₇₈₉"[c - '0'].ToString() : c.ToString())),
        ("Arabic-Indic digits", s_digits, static text => Digits(text, 0x660)),
        ("Devanagari digits", s_digits, static text => Digits(text, 0x966)),
        ("Thai digits", s_digits, static text => Digits(text, 0xE50)),
        ("Cyrillic look-alikes", s_email, static text => Swap(text, "aceopxyi", "асеорхуі")),
        ("Greek look-alikes", s_email, static text => Swap(text, "aoivx", "αοινχ")),
        ("small capitals", s_email, static text => Swap(text, "abcdeghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ")),
        ("ideographic full stop", s_email, static text => text.Replace('.', '。')),
        ("half-width full stop", s_email, static text => text.Replace('.', '｡')),
        ("one-dot leader", s_email, static text => text.Replace('.', '․')),
        ("middle dot", s_email, static text => text.Replace('.', '·')),
        ("en dashes", s_digits, static text => text.Replace('-', '–').Replace(' ', '–')),
        ("non-breaking hyphens", s_digits, static text => text.Replace('-', '‑')),
        ("non-breaking spaces", s_digits, static text => text.Replace(' ', '\u00A0')),
        ("thin spaces", s_digits, static text => text.Replace(' ', '\u2009')),
        ("ideographic spaces", s_digits, static text => text.Replace(' ', '\u3000')),
        ("tabs", s_digits, static text => text.Replace(' ', '\t')),
        ("dots between groups", s_grouped, static text => text.Replace(' ', '.').Replace('-', '.')),
        ("upper case", s_email, static text => text.ToUpperInvariant()),
        ("mixed case", s_email, static text => string.Concat(text.Select(static (c, i) => i % 2 == 0 ? char.ToUpperInvariant(c) : c))),
        ("lower case", s_grouped, static text => text.ToLowerInvariant()),
        ("a link", s_email, static text => $"<a href=\"mailto:{text}\">{text}</a>"),
        ("Markdown", s_email, static text => $"[{text}](mailto:{text})"),
        ("a query", s_email, static text => $"https://shop.example/?mail={text.Replace("@", "%40")}&page=2"),
        ("JSON", s_all, static text => $"{{\"value\":\"{text}\"}}"),
        ("XML", s_all, static text => $"<value>{text}</value>"),
        ("a row", s_all, static text => $"17;{text};open"),
        ("quotes", s_all, static text => $"“{text}”"),
    ];

    private static string Each(string text, Func<char, string> change) => string.Concat(text.Select(change));

    private static string Between(string text, string noise) => string.Join(noise, text.AsEnumerable());

    private static string Math(string text, int letters, int digits) => Each(text, c => Letters.Contains(c, StringComparison.Ordinal)
        ? new Rune(letters + (char.IsAsciiLetterUpper(c) ? c - 'A' : c - 'a' + 26)).ToString()
        : char.IsAsciiDigit(c) ? new Rune(digits + c - '0').ToString() : c.ToString());

    private static string Circled(char c) => c switch
    {
        '0' => "⓪",
        >= '1' and <= '9' => ((char)(0x2460 + c - '1')).ToString(),
        >= 'A' and <= 'Z' => ((char)(0x24B6 + c - 'A')).ToString(),
        >= 'a' and <= 'z' => ((char)(0x24D0 + c - 'a')).ToString(),
        _ => c.ToString(),
    };

    private static string Digits(string text, int zero) => Each(text, c => char.IsAsciiDigit(c) ? ((char)(zero + c - '0')).ToString() : c.ToString());

    private static string Swap(string text, string from, string to) => Each(text, c => from.IndexOf(c, StringComparison.Ordinal) is >= 0 and int at ? to[at].ToString() : c.ToString());
}
