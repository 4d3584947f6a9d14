using System.Text;
using Ballast.Guards.Redaction;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>Values of every kind, invented by a seed: sound by the rules of their kind and nobody's.</summary>
internal sealed class SampleValues(Random random)
{
    private const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private static readonly string[] s_names = ["mara", "jonas", "edda", "tilo", "runa", "ivo", "salma", "piet", "noor", "kaja", "bruno", "lene", "oskar", "yara", "emil", "vera"];
    private static readonly string[] s_families = ["brandt", "olsen", "okafor", "lindqvist", "moreau", "tanaka", "kowalski", "duarte", "fischer", "novak", "haddad", "reyes"];
    private static readonly string[] s_domains = ["example.com", "example.org", "mail.example.net", "post.example.de", "team.example.co.uk", "example.io", "a-b.example.info"];
    private static readonly (string Country, int Digits, string Bank)[] s_accounts =
        [("DE", 18, ""), ("GB", 14, "NWBK"), ("FR", 23, ""), ("NL", 10, "ABNA"), ("ES", 20, ""), ("AT", 16, ""), ("CH", 17, ""), ("NO", 11, ""), ("PL", 24, ""), ("BE", 12, "")];

    private static readonly (string Prefix, int Length)[] s_cards = [("4", 16), ("51", 16), ("55", 16), ("2223", 16), ("34", 15), ("37", 15), ("6011", 16), ("65", 16), ("3530", 16), ("36", 14)];

    public string Of(string kind) => kind switch
    {
        RedactionKind.Email => Email(),
        RedactionKind.Phone => Phone(),
        RedactionKind.Iban => Iban(random.Next(2) == 0),
        RedactionKind.Card => Card(random.Next(3)),
        _ => Secret(),
    };

    public string Email()
    {
        string local = random.Next(5) switch
        {
            0 => Pick(s_names),
            1 => $"{Pick(s_names)}.{Pick(s_families)}",
            2 => $"{Pick(s_names)[0]}{Pick(s_families)}{random.Next(100)}",
            3 => $"{Pick(s_names)}_{Pick(s_families)}",
            _ => $"{Pick(s_names)}+{Text("abcdefghij", 4)}",
        };
        return $"{local}@{Pick(s_domains)}";
    }

    public string Phone() => random.Next(7) switch
    {
        0 => $"+49{random.Next(150, 180)}{Digits(8)}",
        1 => $"+44 20 {Digits(4)} {Digits(4)}",
        2 => $"+1 {random.Next(201, 989)}-{random.Next(200, 999)}-{Digits(4)}",
        3 => $"({random.Next(201, 989)}) {random.Next(200, 999)}-{Digits(4)}",
        4 => $"{random.Next(201, 989)}-{random.Next(200, 999)}-{Digits(4)}",
        5 => $"0{random.Next(151, 179)} {Digits(4)}{Digits(4)}",
        _ => $"0{random.Next(30, 99)}/{Digits(4)} {Digits(3)}",
    };

    public string Iban(bool isGrouped)
    {
        (string country, int digits, string bank) = s_accounts[random.Next(s_accounts.Length)];
        string account = bank + Digits(digits);
        int rest = 0;
        foreach (char c in account + country + "00")
        {
            rest = char.IsAsciiDigit(c) ? ((rest * 10) + (c - '0')) % 97 : ((rest * 100) + (c - 'A' + 10)) % 97;
        }

        string number = $"{country}{98 - rest:00}{account}";
        return isGrouped ? string.Join(' ', number.Chunk(4).Select(static group => new string(group))) : number;
    }

    public string Card(int form)
    {
        (string prefix, int length) = s_cards[random.Next(s_cards.Length)];
        string body = prefix + Digits(length - prefix.Length - 1);
        int sum = 0;
        for (int i = 0; i < body.Length; i++)
        {
            int value = body[body.Length - 1 - i] - '0';
            int doubled = i % 2 == 0 ? value * 2 : value;
            sum += doubled > 9 ? doubled - 9 : doubled;
        }

        string number = body + (char)('0' + ((10 - (sum % 10)) % 10));
        return form == 0 ? number : string.Join(form == 1 ? ' ' : '-', number.Chunk(4).Select(static group => new string(group)));
    }

    public string Secret() => random.Next(8) switch
    {
        0 => "sk-ant-" + Text(Alphanumeric, 40) + "7",
        1 => "sk-proj-" + Text(Alphanumeric, 48) + "3",
        2 => "AKIA" + Text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 15) + "2",
        3 => "ghp_" + Text(Alphanumeric, 35) + "1",
        4 => "xoxb-" + Digits(12) + "-" + Text(Alphanumeric, 24),
        5 => "AIza" + Text(Alphanumeric, 34) + "9",
        6 => Jwt(),
        _ => Pem(),
    };

    /// <summary>A secret that only the name before it gives away.</summary>
    public string Named()
    {
        string name = Pick(["api_key=", "apiKey: ", "token = ", "client_secret=", "password: ", "Authorization: Bearer ", "\"access_token\": \""]);
        return name + Text(Alphanumeric, 14) + "aB3" + Text(Alphanumeric, 10);
    }

    public string Text(string alphabet, int length) => string.Create(length, (alphabet, random), static (text, made) =>
    {
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = made.alphabet[made.random.Next(made.alphabet.Length)];
        }
    });

    private string Jwt()
    {
        string body = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{{\"sub\":\"{Digits(9)}\",\"iat\":17{Digits(8)}}}")).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return $"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{body}.{Text(Alphanumeric, 43)}";
    }

    private string Pem()
    {
        StringBuilder key = new("-----BEGIN RSA PRIVATE KEY-----\n");
        for (int line = 0; line < 6; line++)
        {
            key.Append(Text(Alphanumeric + "+/", 64)).Append('\n');
        }

        return key.Append("-----END RSA PRIVATE KEY-----").ToString();
    }

    private string Digits(int count) => Text("0123456789", count);

    private string Pick(string[] words) => words[random.Next(words.Length)];
}
