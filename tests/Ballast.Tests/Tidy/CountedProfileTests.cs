using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Ballast.Tests.Tidy;

/// <summary>What <c>./publish</c> lays the program out by must speak of the program as it is: a compiler drops counts of methods that are gone without a word.</summary>
public sealed class CountedProfileTests
{
    private const double KnownMin = 0.85;

    [Fact]
    public void Profile_MethodsOfOurs_AreStillThere()
    {
        using ZipArchive file = ZipFile.OpenRead(Path.Combine(Repository.Root, "src", "Ballast", "profile.mibc"));
        using MemoryStream library = new();
        using (Stream content = Assert.Single(file.Entries).Open())
        {
            content.CopyTo(library);
        }

        library.Position = 0;
        using PEReader reader = new(library);
        List<(string Type, string Method)> counted = OursIn(reader.GetMetadataReader());
        string[] gone = [.. counted.Where(static method => !Exists(method.Type, method.Method)).Select(static method => $"{method.Type}.{method.Method}")];

        Assert.True(counted.Count > 500, $"only {counted.Count} methods of ours were counted");
        Assert.True(
            gone.Length <= counted.Count * (1 - KnownMin),
            $"{gone.Length} of {counted.Count} counted methods are gone: run ./bench.sh --profile. {string.Join(", ", gone.Take(10))}");
    }

    private static List<(string Type, string Method)> OursIn(MetadataReader profile)
    {
        List<(string Type, string Method)> found = [];
        foreach (MemberReferenceHandle handle in profile.MemberReferences)
        {
            MemberReference method = profile.GetMemberReference(handle);
            if (method.Parent.Kind == HandleKind.TypeReference && NameOf(profile, (TypeReferenceHandle)method.Parent) is { Assembly: "ballast" or "Ballast.Protocols" } type)
            {
                found.Add(($"{type.Name}, {type.Assembly}", profile.GetString(method.Name)));
            }
        }

        return found;
    }

    private static (string Name, string Assembly) NameOf(MetadataReader profile, TypeReferenceHandle handle)
    {
        TypeReference type = profile.GetTypeReference(handle);
        string name = profile.GetString(type.Name);
        if (type.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            (string outer, string assembly) = NameOf(profile, (TypeReferenceHandle)type.ResolutionScope);
            return ($"{outer}+{name}", assembly);
        }

        string space = profile.GetString(type.Namespace);
        return (space.Length > 0 ? $"{space}.{name}" : name, profile.GetString(profile.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name));
    }

    private static bool Exists(string type, string method) => Type.GetType(type) is { } found && found
        .GetMembers(BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        .Any(member => member.Name == method);
}
