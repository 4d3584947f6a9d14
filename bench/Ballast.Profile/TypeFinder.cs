using System.Reflection;

namespace Ballast.Profile;

/// <summary>Finds types and methods by the names that the runtime wrote, among the assemblies that Ballast runs with.</summary>
internal sealed class TypeFinder
{
    private const BindingFlags All = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private readonly Dictionary<string, Type> _types = [];

    /// <param name="folder">Of the program and of what it is delivered with; the framework is this process's own.</param>
    public TypeFinder(string folder)
    {
        IEnumerable<string> framework = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        foreach (string path in Directory.GetFiles(folder, "*.dll").Concat(framework).DistinctBy(Path.GetFileName))
        {
            foreach (Type type in TypesOf(path))
            {
                if (type.FullName is { } name)
                {
                    _types.TryAdd(name, type);
                }
            }
        }
    }

    public Type? Find(string name) => _types.GetValueOrDefault(name);

    /// <summary>Null where none, or more than one, could be meant.</summary>
    public static MethodBase? FindMethod(Type type, CountedMethod counted)
    {
        MethodBase[] found = [.. type.GetConstructors(All).Concat<MethodBase>(type.GetMethods(All)).Where(method =>
            method.Name == counted.Name && !method.IsGenericMethodDefinition && method.GetMethodBody()?.GetILAsByteArray()?.Length == counted.CodeBytes
            && method.IsStatic != counted.Signature.StartsWith("instance", StringComparison.Ordinal))];
        return found.Length == 1 ? found[0] : null;
    }

    private static Type[] TypesOf(string path)
    {
        try
        {
            string name = Path.GetFileNameWithoutExtension(path);
            Assembly core = typeof(object).Assembly;
            return (name == core.GetName().Name ? core : Assembly.LoadFrom(path)).GetTypes();
        }
        catch (ReflectionTypeLoadException partly)
        {
            return [.. partly.Types.OfType<Type>()];
        }
        catch (BadImageFormatException)
        {
            return [];
        }
    }
}
