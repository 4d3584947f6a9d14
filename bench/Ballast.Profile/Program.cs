using System.Globalization;
using Ballast.Profile;

// Run by ./bench.sh --profile: turns what the runtime counted into what the compiler ahead of time reads.
if (args.Length < 3)
{
    Console.Error.WriteLine("usage: Ballast.Profile PROGRAM-FOLDER OUT.mibc COUNTS ...; normally run by ./bench.sh --profile");
    return 2;
}

CountedMethod[] methods = [.. args[2..].SelectMany(CountsFile.Read)
    .GroupBy(static method => (method.Type, method.Name, method.Signature, method.CodeBytes))
    .Select(static same => same.Aggregate(static (one, other) => one.With(other)))
    .OrderByDescending(static method => method.Weight).ThenBy(static method => method.Type, StringComparer.Ordinal).ThenBy(static method => method.Name, StringComparer.Ordinal)];
ProfileWriter writer = new(new TypeFinder(args[0]));
int added = methods.Count(writer.TryAdd);
writer.Write(args[1]);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{added} methods written, {methods.Length - added} left out: generic, or not to be told from others"));
return 0;
