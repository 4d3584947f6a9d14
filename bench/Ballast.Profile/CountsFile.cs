using System.Globalization;

namespace Ballast.Profile;

/// <summary>Reads what the runtime writes with <c>DOTNET_WritePGOData=1</c>: lines of text, a method after the other.</summary>
internal static class CountsFile
{
    public static IEnumerable<CountedMethod> Read(string path)
    {
        using StreamReader reader = new(path);
        string? line = reader.ReadLine();
        while (line is not null)
        {
            if (!line.StartsWith("@@@ ", StringComparison.Ordinal))
            {
                line = reader.ReadLine();
                continue;
            }

            string[] head = line.Split(' ');
            int codeBytes = Hex(head[Array.IndexOf(head, "ilSize") + 1]);
            string method = After(reader.ReadLine(), "MethodName: ");
            string signature = After(reader.ReadLine(), "Signature: ");
            List<Count> counts = [];
            line = reader.ReadLine();
            while (line is not null && line.StartsWith("Schema ", StringComparison.Ordinal))
            {
                counts.Add(ReadCount(line, reader));
                line = reader.ReadLine();
            }

            // A constructor's name begins with the dot that parts it from its type.
            int dot = method.LastIndexOf('.');
            dot = dot > 0 && method[dot - 1] == '.' ? dot - 1 : dot;
            yield return new CountedMethod(method[..dot], method[(dot + 1)..], signature, codeBytes, counts);
        }
    }

    private static Count ReadCount(string line, StreamReader reader)
    {
        string[] words = line.Split(' ');
        int kind = Number(words[2]);
        int length = Number(words[6]);
        Count count = new(kind, Number(words[4]), unchecked((int)uint.Parse(words[8], CultureInfo.InvariantCulture)), [], []);
        List<long> numbers = [];
        List<string?> names = [];
        for (int i = 0; i < length; i++)
        {
            string value = reader.ReadLine() ?? throw new InvalidDataException("The file of counts ends in the middle of a method.");
            if (count.IsOfNames)
            {
                string name = value[(value.IndexOf(' ', StringComparison.Ordinal) + 1)..];
                names.Add(name is "NULL" or "UNKNOWN" ? null : name);
            }
            else
            {
                numbers.Add(long.Parse(value, CultureInfo.InvariantCulture));
            }
        }

        return count with { Numbers = numbers, Names = names };
    }

    private static string After(string? line, string start) => line is not null && line.StartsWith(start, StringComparison.Ordinal)
        ? line[start.Length..]
        : throw new InvalidDataException($"'{start}' is missing: the runtime writes its counts in another form.");

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static int Hex(string text) => int.Parse(text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
