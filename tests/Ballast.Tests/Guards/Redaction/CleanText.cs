using System.Globalization;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>
/// Texts without anything to take out, invented by a seed: prose, and what looks like a value and is none: dates, prices, versions, addresses of machines, numbers of
/// orders, code, digests, identifiers.
/// </summary>
internal sealed class CleanText(Random random)
{
    private static readonly string[] s_nouns =
        ("river engine meadow ledger window bridge teacher signal winter harbour kitchen pattern session token garden lantern market orchard paper valley station key table monkey password report "
        + "folder circuit anchor button camera dinner eagle forest glacier hammer island jacket kettle ladder mirror needle office pencil quarry ribbon saddle temple umbrella village wagon yard zebra").Split(' ');

    private static readonly string[] s_verbs =
        "carries opens measures follows repairs paints answers collects describes lifts moves names offers plans reads sends turns visits warms yields calls keeps closes finds checks".Split(' ');

    private static readonly string[] s_fillers =
        "quietly at noon, in the morning, with great care, before the meeting at the station, after the rain, as the manual says, without a word, near the dot on the map, for the third time".Split(", ");

    private static readonly string[] s_adjectives =
        "old narrow bright patient second hollow northern careful public sturdy early plain distant clever warm silent broken even modest grey".Split(' ');

    public IEnumerable<string> Sentences(int words)
    {
        int count = 0;
        while (count < words)
        {
            string sentence = random.Next(4) == 0 ? Special() : Prose();
            count += sentence.Split(' ', '\n').Length;
            yield return sentence;
        }
    }

    private string Prose()
    {
        string sentence = $"The {Adjective} {Noun} {Verb} the {Noun} of the {Adjective} {Noun} {Pick(s_fillers)}";
        return random.Next(3) switch
        {
            0 => sentence + ", and the " + Noun + " " + Verb + " a " + Adjective + " " + Noun + ".",
            1 => sentence + "; nobody " + Verb + " it.",
            _ => char.ToUpperInvariant(sentence[0]) + sentence[1..] + "!",
        };
    }

    private string Special() => random.Next(26) switch
    {
        0 => $"The {Noun} was built in {random.Next(1200, 2030)} and repaired in {random.Next(1800, 2030)}, {random.Next(2, 90)} years later.",
        1 => $"Delivery on {Day(".")} between {random.Next(8, 18)}:{random.Next(60):00} and {random.Next(18, 22)}:{random.Next(60):00}.",
        2 => $"The meeting of {random.Next(2019, 2031)}-{random.Next(1, 13):00}-{random.Next(1, 29):00} moved to {random.Next(1, 13)}/{random.Next(1, 29)}/{random.Next(2019, 2031)}.",
        3 => $"It costs ${random.Next(1, 10000):N0}.{random.Next(100):00}, or {random.Next(1, 900)}.{random.Next(100):00} € with a {Noun}.",
        4 => $"Version {random.Next(20)}.{random.Next(40)}.{random.Next(1000)} of the {Noun} needs version {random.Next(20)}.{random.Next(40)} of the {Noun}.",
        5 => $"The server {random.Next(1, 255)}.{random.Next(255)}.{random.Next(255)}.{random.Next(1, 255)} answers on port {random.Next(1024, 65535)}.",
        6 => $"Order {random.Next(10_000_000, 99_999_999)} has {random.Next(2, 90)} rows and {random.Next(1, 9)} notes.",
        7 => $"Commit {Hex(40)} touches src/{Noun}/{Noun}.cs at line {random.Next(1, 900)}.",
        8 => $"The identifier is {Hex(8)}-{Hex(4)}-4{Hex(3)}-a{Hex(3)}-{Hex(12)}.",
        9 => $"for (int i = 0; i < {random.Next(10, 1000)}; i++) {{ {Noun}[i] = {Noun}.Count * {random.Next(2, 99)}; }}",
        10 => $"See https://docs.example.org/{Noun}/{Noun}?page={random.Next(1, 400)}&sort={Noun} for the {Adjective} {Noun}.",
        11 => $"A temperature of {random.Next(-20, 40)} degrees, {random.Next(950, 1050)} hPa, wind {random.Next(1, 90)} km/h from the {Noun}.",
        12 => $"Chapter {random.Next(1, 40)}, pages {random.Next(1, 300)}-{random.Next(301, 900)}, figure {random.Next(1, 9)}.{random.Next(1, 30)}.",
        13 => $"const {Noun}Key = \"{Noun}_{Noun}\"; // the token of the {Noun} is set elsewhere",
        14 => $"The password of the {Noun} is required; the secret is kept by the {Adjective} {Noun}.",
        15 => $"@media (min-width: {random.Next(300, 1400)}px) {{ .{Noun} {{ margin: 0 {random.Next(2, 40)}px; }} }}",
        16 => $"Add the @{Noun} decorator, then mention @{Noun} in the {Noun} channel at {random.Next(1, 12)} pm.",
        17 => $"They sold {random.Next(1, 999)},{random.Next(100, 999)},{random.Next(100, 999)} {Noun}s to {random.Next(2, 90)} countries.",
        18 => $"Room {random.Next(1, 9)}.{random.Next(100, 400)} is on floor {random.Next(1, 9)}; call the {Noun} if it is closed.",
        19 => $"Matrix: {random.Next(10)} {random.Next(10)} {random.Next(10)} / {random.Next(10)} {random.Next(10)} {random.Next(10)} / {random.Next(10)} {random.Next(10)} {random.Next(10)}",
        20 => $"{{\"{Noun}\": {random.Next(1, 100000)}, \"{Noun}\": [{random.Next(100)}, {random.Next(100)}, {random.Next(100)}], \"ok\": true}}",
        21 => $"The {Noun} weighs {random.Next(1, 900)}.{random.Next(1000):000} kg and measures {random.Next(1, 90)} x {random.Next(1, 90)} x {random.Next(1, 90)} cm.",
        22 => $"ISBN 978-{random.Next(10)}-{random.Next(10, 99)}-{random.Next(100000, 999999)}-{random.Next(10)} tells of a {Noun}.",
        23 => $"At {random.Next(24):00}:{random.Next(60):00}:{random.Next(60):00}.{random.Next(1000):000}Z the {Noun} {Verb}; {random.Next(1, 100)} % done, {random.Next(1, 9000)} ms left.",
        24 => $"Coordinates {random.Next(-90, 90)}.{random.Next(10000, 99999)}, {random.Next(-180, 180)}.{random.Next(10000, 99999)} lie near the {Noun}.",
        _ => $"Model gpt-5-mini-{random.Next(2024, 2027)}-{random.Next(1, 13):00}-{random.Next(1, 29):00} used {random.Next(1, 90000)} tokens for the {Noun}.",
    };

    private string Noun => Pick(s_nouns);
    private string Verb => Pick(s_verbs);
    private string Adjective => Pick(s_adjectives);

    private string Day(string sign) => string.Create(CultureInfo.InvariantCulture, $"{random.Next(1, 29):00}{sign}{random.Next(1, 13):00}{sign}{random.Next(2019, 2031)}");

    private string Hex(int length) => new([.. Enumerable.Range(0, length).Select(_ => "0123456789abcdef"[random.Next(16)])]);

    private string Pick(string[] words) => words[random.Next(words.Length)];
}
