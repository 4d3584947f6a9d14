namespace Ballast.Tests.Configuration;

/// <summary>Finds a file of the repository from wherever the tests run.</summary>
internal static class RepositoryFile
{
    public static string Find(string path)
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Ballast.slnx")))
            {
                return Path.Combine(directory.FullName, path);
            }
        }

        throw new FileNotFoundException($"The repository of {path} was not found.");
    }
}
