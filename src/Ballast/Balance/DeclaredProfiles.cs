using System.Text.Json;

namespace Ballast.Balance;

/// <summary>The statements of <c>declared.json</c>, which is part of the program: general public knowledge with source and date, not measured.</summary>
public static class DeclaredProfiles
{
    private static readonly Lazy<IReadOnlyDictionary<string, DeclaredProfile>> s_all = new(() => Read());

    public static IReadOnlyDictionary<string, DeclaredProfile> All => s_all.Value;

    private static Dictionary<string, DeclaredProfile> Read()
    {
        using Stream stream = typeof(DeclaredProfiles).Assembly.GetManifestResourceStream("Ballast.Balance.declared.json")
            ?? throw new InvalidOperationException("The embedded file declared.json is missing.");
        using JsonDocument document = JsonDocument.Parse(stream);
        Dictionary<string, DeclaredProfile> profiles = new(StringComparer.Ordinal);
        foreach (JsonProperty subject in document.RootElement.GetProperty("subjects").EnumerateObject())
        {
            string?[] kinds = [.. subject.Value.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetString())];
            profiles.Add(subject.Name, new DeclaredProfile(
                subject.Name,
                IsVendor: kinds.Contains("vendor"),
                IsPlatform: kinds.Contains("platform"),
                ReadFact(subject.Value, "enterprise_integration"),
                ReadFact(subject.Value, "safety_approach"),
                ReadFact(subject.Value, "ecosystem")));
        }

        return profiles;
    }

    private static DeclaredFact ReadFact(JsonElement subject, string name)
    {
        JsonElement fact = subject.GetProperty(name);
        return new DeclaredFact(ReadText(fact, "text"), ReadText(fact, "source"), ReadText(fact, "date"));
    }

    private static string ReadText(JsonElement fact, string name) =>
        fact.GetProperty(name).GetString() ?? throw new InvalidOperationException($"declared.json: {name} is missing.");
}
