namespace Ballast.Configuration;

/// <summary>
/// Judges options as a whole: what is missing, what contradicts itself, what names nothing. It never stops at the first fault, and it works on options that were
/// built without a file just as well.
/// </summary>
public static class OptionsValidator
{
    public const int ProvidersMax = 1000;
    public const int DeploymentsMax = 10_000;
    public const int CandidatesMax = 100;

    /// <summary>All faults and warnings of options that did not come from <see cref="OptionsLoader"/>.</summary>
    public static IReadOnlyList<ConfigurationFault> Validate(BallastOptions options)
    {
        FaultList faults = new();
        Validate(options, faults);
        return faults.ToList();
    }

    internal static void Validate(BallastOptions options, FaultList faults)
    {
        ValidateWithoutLint(options, faults);
        OptionsLint.Check(options, new DeploymentIndex(options), new Judge(options.Source, faults));
    }

    internal static void ValidateWithoutLint(BallastOptions options, FaultList faults)
    {
        Judge judge = new(options.Source, faults);
        ValidateServer(options.Server, judge);
        ValidateCounts(options, judge);
        foreach (ProviderOptions provider in options.Providers)
        {
            ProviderValidator.Validate(provider, judge);
            ProviderValidator.ValidateQuotas(provider, options.Server.Nodes, judge);
        }

        ValidateNames(options, judge);
        DeploymentIndex index = new(options);
        ValidateModels(options, index, judge);
        ValidateKeys(options, index, judge);
        ValidatePrices(options, judge);
        TenancyValidator.Validate(options, judge);
        ValidateLimits(options.Limits, judge);
    }

    private static void ValidateServer(ServerOptions server, Judge judge)
    {
        foreach ((string path, Uri address) in new[] { ("server.listen", server.Listen), ("server.admin", server.Admin) })
        {
            if (address.AbsolutePath != "/")
            {
                judge.Error(path, "an address to listen on has no path", "http://host:port");
            }
        }

        if (!server.Admin.IsLoopback)
        {
            judge.Error("server.admin", "the administration address must be loopback", "http://127.0.0.1:8081");
        }

        if (server.Admin.Port == server.Listen.Port && server.Admin.Port != 0)
        {
            judge.Error("server.admin", "gateway and administration cannot share a port", "http://127.0.0.1:8081");
        }
    }

    private static void ValidateCounts(BallastOptions options, Judge judge)
    {
        if (options.Providers.Count == 0)
        {
            judge.Error("providers", "there is no provider", "a gateway needs at least one under 'providers:'");
        }

        if (options.Providers.Count > ProvidersMax)
        {
            judge.Error("providers", $"more than {ProvidersMax} providers", "");
        }

        if (options.Providers.Sum(static provider => provider.Deployments.Count) > DeploymentsMax)
        {
            judge.Error("providers", $"more than {DeploymentsMax} deployments", "");
        }
    }

    /// <summary>Names that occur twice: impossible in a file, possible in options that a program built.</summary>
    private static void ValidateNames(BallastOptions options, Judge judge)
    {
        Twice("providers", options.Providers.Select(static provider => provider.Name));
        Twice("models", options.Models.Select(static model => model.Name));
        Twice("keys", options.Keys.Select(static key => key.Id));
        Twice("prices", options.Prices.Select(static price => price.Name));
        foreach (ProviderOptions provider in options.Providers)
        {
            Twice(SourceMap.Join("providers", provider.Name), provider.Deployments.Select(static deployment => deployment.Name));
        }

        void Twice(string path, IEnumerable<string> names)
        {
            HashSet<string> seen = new(StringComparer.Ordinal);
            foreach (string name in names.Where(name => !seen.Add(name)))
            {
                judge.Error(SourceMap.Join(path, name), $"'{name}' is there twice", "");
            }
        }
    }

    private static void ValidateModels(BallastOptions options, DeploymentIndex index, Judge judge)
    {
        foreach (ModelOptions model in options.Models)
        {
            string path = SourceMap.Join("models", model.Name);
            string listPath = SourceMap.Join(path, "deployments");
            if (index.IsDeployment(model.Name))
            {
                judge.Error(path, $"'{model.Name}' is already the name of a deployment", "a deployment can be asked for by its own name as it is");
            }

            if (model.Deployments.Count == 0 && !judge.HasItems(listPath))
            {
                judge.Error(listPath, $"model '{model.Name}' names no deployment", "deployments: [provider/model]");
            }

            if (model.Deployments.Count > CandidatesMax)
            {
                judge.Error(listPath, $"model '{model.Name}' names more than {CandidatesMax} deployments", "");
            }

            HashSet<string> seen = new(StringComparer.Ordinal);
            for (int i = 0; i < model.Deployments.Count; i++)
            {
                string name = model.Deployments[i].Deployment;
                string place = SourceMap.Join(listPath, i);
                if (!index.IsReachable(name))
                {
                    judge.Error(place, $"there is no deployment '{name}'", NearestName.Hint(name, index.Names, "deployments are written provider/model"));
                }
                else if (!seen.Add(name))
                {
                    judge.Error(place, $"'{name}' is named twice by model '{model.Name}'", "remove one of the two");
                }
            }
        }
    }

    private static void ValidateKeys(BallastOptions options, DeploymentIndex index, Judge judge)
    {
        Dictionary<string, string> digests = new(StringComparer.Ordinal);
        foreach (KeyOptions key in options.Keys)
        {
            string path = SourceMap.Join("keys", key.Id);
            if (key.Digest.Length != 32)
            {
                if (!judge.HasAny(path, "key", "key_env", "key_file", "key_sha256"))
                {
                    judge.Error(path, $"key '{key.Id}' has no key", "one of key_env, key_file, key_sha256, key: ${NAME}");
                }
            }
            else if (!digests.TryAdd(Convert.ToHexString(key.Digest.Span), key.Id))
            {
                string other = digests[Convert.ToHexString(key.Digest.Span)];
                judge.Error(path, $"keys '{other}' and '{key.Id}' are the same key", "each client needs a key of its own");
            }

            for (int i = 0; i < (key.Models?.Count ?? 0); i++)
            {
                string name = key.Models![i];
                if (!index.IsReachable(name) && !index.IsModel(name))
                {
                    string hint = NearestName.Hint(name, index.Names.Concat(options.Models.Select(static model => model.Name)), "");
                    judge.Error(SourceMap.Join(SourceMap.Join(path, "models"), i), $"there is no model '{name}'", hint);
                }
            }
        }
    }

    private static void ValidatePrices(BallastOptions options, Judge judge)
    {
        HashSet<string> names = [.. options.Prices.Select(static price => price.Name)];
        foreach (ProviderOptions provider in options.Providers)
        {
            foreach (DeploymentOptions deployment in provider.Deployments)
            {
                if (deployment.Price is { } price && !names.Contains(price))
                {
                    string path = SourceMap.Join(Judge.PathOf(provider, deployment), "price");
                    judge.Error(path, $"there is no price '{price}'", NearestName.Hint(price, names, "add it under 'prices:'"));
                }
            }
        }
    }

    private static void ValidateLimits(LimitsOptions limits, Judge judge)
    {
        if (limits.FirstTokenTimeout > limits.TotalTimeout)
        {
            judge.Error("limits.first_token_timeout", "'first_token_timeout' is longer than 'total_timeout'", "it could never run out");
        }

        if (limits.ConnectTimeout > limits.FirstTokenTimeout)
        {
            judge.Error("limits.connect_timeout", "'connect_timeout' is longer than 'first_token_timeout'", "it could never run out");
        }
    }
}
