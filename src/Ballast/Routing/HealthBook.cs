using System.Collections.Concurrent;
using Ballast.Catalog;

namespace Ballast.Routing;

/// <summary>The health of every deployment ever used, by name. Bounded: where a provider takes any model name, callers could invent names without end.</summary>
public sealed class HealthBook(TimeProvider time)
{
    /// <summary>Deployments told apart; further ones share the health of their provider.</summary>
    public const int DeploymentsMax = 20_000;

    private readonly ConcurrentDictionary<string, DeploymentHealth> _health = new(StringComparer.Ordinal);

    public DeploymentHealth Of(Deployment deployment)
    {
        if (_health.TryGetValue(deployment.Name, out DeploymentHealth? known))
        {
            return known;
        }

        string name = _health.Count < DeploymentsMax ? deployment.Name : deployment.Provider.Name;
        return _health.GetOrAdd(name, static (_, clock) => new DeploymentHealth(clock), time);
    }

    /// <summary>Null where nothing was ever tried there.</summary>
    public DeploymentHealth? Find(Deployment deployment) => _health.GetValueOrDefault(deployment.Name);

    public IEnumerable<KeyValuePair<string, DeploymentHealth>> All => _health;

    public void Reset()
    {
        foreach (DeploymentHealth health in _health.Values)
        {
            health.Reset();
        }
    }
}
