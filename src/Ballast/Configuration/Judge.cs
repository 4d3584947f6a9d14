namespace Ballast.Configuration;

/// <summary>Gives each verdict of the validator its place in the file.</summary>
internal sealed class Judge(SourceMap source, FaultList faults)
{
    public static string PathOf(ProviderOptions provider) => SourceMap.Join("providers", provider.Name);

    public static string PathOf(ProviderOptions provider, DeploymentOptions deployment) =>
        SourceMap.Join(SourceMap.Join(PathOf(provider), "deployments"), deployment.Name);

    public void Error(string path, string message, string hint)
    {
        (int line, int column) = source.At(path);
        faults.Error(path, line, column, message, hint);
    }

    public void Warning(string path, string message, string hint)
    {
        (int line, int column) = source.At(path);
        faults.Warning(path, line, column, message, hint);
    }

    /// <summary>Reports a missing value; one that is written but faulty was reported by the loader.</summary>
    public void Require(object? value, string path, string key, string message, string hint)
    {
        if (value is null && !source.Has(SourceMap.Join(path, key)))
        {
            Error(SourceMap.Join(path, key), message, hint);
        }
    }

    public bool HasAny(string path, params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
        {
            if (source.Has(SourceMap.Join(path, key)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The list was written with at least one item, be it faulty.</summary>
    public bool HasItems(string path) => source.Has(SourceMap.Join(path, 0));
}
