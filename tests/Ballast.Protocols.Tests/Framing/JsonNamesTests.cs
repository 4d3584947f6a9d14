using System.Text;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Tests.Framing;

public class JsonNamesTests
{
    [Theory]
    [InlineData("{\"a\":1,\"b\":2}", null)]
    [InlineData("{\"a\":1,\"a\":2}", "a")]
    [InlineData("{\"a\":1,\"A\":2,\"aa\":3,\"\":4}", null)]
    [InlineData("{\"\":1,\"\":2}", "")]
    [InlineData("{\"ab\":1,\"\\u0061b\":2}", "ab")]
    [InlineData("{\"\\u0061b\":1,\"ab\":2}", "ab")]
    [InlineData("{\"\\u0061b\":1,\"a\\u0062\":2}", "ab")]
    [InlineData("{\"\\u0061b\":1,\"c\":2,\"c\":3}", "c")]
    [InlineData("{\"é\":1,\"\\u00e9\":2}", "é")]
    public void Add_Names_TellsTheOneGivenTwice(string json, string? expected) => Assert.Equal(expected, FirstTwice(json));

    [Fact]
    public void Add_ManyNames_TellsEachOfThemGivenTwice()
    {
        const int count = 100;
        for (int twice = 0; twice < count; twice++)
        {
            IEnumerable<string> names = Enumerable.Range(0, count).Append(twice).Select(number => $"\"n{number}\":{number}");
            Assert.Equal($"n{twice}", FirstTwice($"{{{string.Join(',', names)}}}"));
        }

        Assert.Null(FirstTwice($"{{{string.Join(',', Enumerable.Range(0, count).Select(number => $"\"n{number}\":{number}"))}}}"));
    }

    private static string? FirstTwice(string json)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        JsonScan scan = new(bytes, depthMax: 8);
        JsonNames names = new(bytes);
        scan.EnterObject();
        while (scan.NextField())
        {
            if (!names.Add(scan.NameSpan, scan.IsEscaped))
            {
                return scan.NameText();
            }

            scan.Skip();
        }

        return null;
    }
}
