namespace Ballast.Configuration;

/// <summary>Warnings: what is allowed but probably not meant, first of all a fallback that falls with what it backs up.</summary>
internal static class OptionsLint
{
    /// <summary>A region that is no single place: two deployments that share it share nothing.</summary>
    private const string EverywhereRegion = "global";

    public static void Check(BallastOptions options, DeploymentIndex index, Judge judge)
    {
        CheckFallbacks(options, index, judge);
        CheckPrices(options, judge);
        CheckKeys(options, judge);
        CheckTerms(options, index, judge);
        CheckProfiles(options, judge);
        if (!options.Server.Listen.IsLoopback && options.Server.Listen.Scheme == Uri.UriSchemeHttp)
        {
            judge.Warning("server.listen", "clients' keys cross the network unencrypted on this address", "write https:// and name a certificate under 'tls:', or put a TLS proxy in front");
        }
    }

    private static void CheckFallbacks(BallastOptions options, DeploymentIndex index, Judge judge)
    {
        foreach (ModelOptions model in options.Models)
        {
            string[] names = [.. model.Deployments.Select(static candidate => candidate.Deployment).Where(index.IsReachable)];
            string path = SourceMap.Join(SourceMap.Join("models", model.Name), "deployments");
            if (names.Length == 1 && model.Deployments.Count == 1)
            {
                judge.Warning(path, $"model '{model.Name}' has no fallback: it stops with '{names[0]}'", "add a deployment of another platform");
            }

            for (int i = 1; i < model.Deployments.Count; i++)
            {
                if (Shared(model, i, index) is { Length: > 0 } shared)
                {
                    string name = model.Deployments[i].Deployment;
                    judge.Warning(SourceMap.Join(path, i), $"fallback '{name}' shares {shared}", "what takes the one down may take the other with it");
                }
            }
        }
    }

    /// <summary>What a candidate shares with those before it, each thing with the first that has it.</summary>
    private static string Shared(ModelOptions model, int index, DeploymentIndex deployments)
    {
        (string? vendor, string? platform, string? region) = deployments.PlaceOf(model.Deployments[index].Deployment);
        (string What, string? Value, Func<(string? Vendor, string? Platform, string? Region), string?> Of)[] things =
        [
            ("vendor", vendor, static place => place.Vendor),
            ("platform", platform, static place => place.Platform),
            ("region", region == EverywhereRegion ? null : region, static place => place.Region),
        ];
        List<(string Thing, string With)> shared = [];
        foreach ((string what, string? value, var of) in things)
        {
            string? with = value is null
                ? null
                : model.Deployments.Take(index).Select(static candidate => candidate.Deployment)
                    .FirstOrDefault(earlier => earlier != model.Deployments[index].Deployment && of(deployments.PlaceOf(earlier)) == value);
            if (with is not null)
            {
                shared.Add(($"{what} {value}", with));
            }
        }

        return string.Join(", ", shared.GroupBy(static item => item.With)
            .Select(static group => $"{string.Join(" and ", group.Select(static item => item.Thing))} with '{group.Key}'"));
    }

    private static void CheckPrices(BallastOptions options, Judge judge)
    {
        HashSet<string> prices = [.. options.Prices.Select(static price => price.Name)];
        foreach (ProviderOptions provider in options.Providers)
        {
            foreach (DeploymentOptions deployment in provider.Deployments)
            {
                if (deployment.Price is null && !prices.Contains($"{provider.Name}/{deployment.Name}")
                    && !prices.Contains($"{deployment.Vendor ?? provider.Vendor}/{deployment.Name}")
                    && options.PriceBook.Schedule(provider.Platform ?? "", deployment.Model ?? deployment.Name) is null)
                {
                    string name = $"{provider.Name}/{deployment.Name}";
                    judge.Warning(Judge.PathOf(provider, deployment), $"'{name}' has no price: its cost will be unknown", $"prices: {{ {name}: {{ input: …, output: … }} }}");
                }
            }
        }
    }

    private static void CheckKeys(BallastOptions options, Judge judge)
    {
        if (options.Keys.Count == 0)
        {
            judge.Warning("keys", "there is no key: no client can be served", "keys: { name: { key_env: NAME } }");
        }

        foreach (KeyOptions key in options.Keys)
        {
            string path = SourceMap.Join("keys", key.Id);
            if (key.Allow is null)
            {
                judge.Warning(path, $"key '{key.Id}' has no 'allow': its data may go anywhere", "allow: { geo: [eu], retention_days_max: 30, training: false }");
            }

            if (key.IsLiteral)
            {
                judge.Warning(SourceMap.Join(path, "key"), $"key '{key.Id}' stands in the file for all to read", "key_sha256, key_env or key_file");
            }
        }
    }

    /// <summary>A key that may ask for a model, but to none of whose deployments its data may go, would meet a refusal each time.</summary>
    private static void CheckTerms(BallastOptions options, DeploymentIndex index, Judge judge)
    {
        foreach (KeyOptions key in options.Keys)
        {
            foreach (ModelOptions model in options.Models.Where(model => key.Allow is not null && key.Models?.Contains(model.Name) is null or true))
            {
                bool isLawful = model.Deployments.Any(candidate => Allows(key.Allow!, index.TermsOf(candidate.Deployment)));
                if (model.Deployments.Count > 0 && !isLawful)
                {
                    judge.Warning(
                        SourceMap.Join(SourceMap.Join("keys", key.Id), "allow"),
                        $"'allow' of key '{key.Id}' admits no deployment of model '{model.Name}': every such request would be refused", "widen it, or name the key's models");
                }
            }
        }
    }

    private static bool Allows(AllowOptions allow, DataOptions terms) =>
        (allow.Geo is null || terms.Geo is null || allow.Geo.Contains(terms.Geo))
        && (allow.RetentionDaysMax is null || terms.RetentionDays is null || terms.RetentionDays <= allow.RetentionDaysMax)
        && (allow.Training || terms.Training is not true);

    /// <summary>A model's id that says another place than what is written: the id is believed, and the wider of the two counts.</summary>
    private static void CheckProfiles(BallastOptions options, Judge judge)
    {
        foreach (ProviderOptions provider in options.Providers.Where(static provider => provider.Platform == "aws"))
        {
            foreach (DeploymentOptions deployment in provider.Deployments)
            {
                string sent = deployment.Model ?? deployment.Name;
                string? geo = deployment.Data?.Geo ?? provider.Data?.Geo;
                if (InferenceProfile.GeoOf(provider.Platform, sent) is { } profile && geo is not null && geo != profile)
                {
                    string path = SourceMap.Join(Judge.PathOf(provider, deployment), "model");
                    judge.Warning(path, $"model id begins with '{profile}.', but its data is said to stay in '{geo}'", $"data: {{ geo: {profile} }}");
                }
            }
        }
    }
}
