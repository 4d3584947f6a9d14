using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Handles;
using Ballast.Protocols;
using Ballast.Protocols.Operations;
using Ballast.Upstream.Providers;

namespace Ballast.Gateway.Files;

/// <summary>A provider where a new file may lie, by one of its deployments, and where a batch's requests go there.</summary>
/// <param name="Deployment">The one that the ledger names.</param>
/// <param name="Target">Where the requests for a model of a batch go; null where the file is no batch's input.</param>
public sealed record KeptPlace(Deployment Deployment, Func<BatchModel, RequestTarget>? Target)
{
    /// <summary>The places that are lawful for the key, one for each provider, in order: that of the model that was named, else that of the catalog.</summary>
    /// <exception cref="GatewayException">There is none.</exception>
    public static IReadOnlyList<KeptPlace> Find(Exchange exchange, string? model, BatchInput? lines)
    {
        if (model is null && lines is { Models: [BatchModel first, ..] })
        {
            return Serving(exchange, OfModel(exchange, first.Name, lines.PlaceOf(first), lines.Field), lines);
        }

        Deployment[] all = model is null ? OfKey(exchange) : OfModel(exchange, model, null, "model");
        return lines is { Models.Count: > 0 } ? Serving(exchange, all, lines) : [.. all.Select(static deployment => new KeptPlace(deployment, null))];
    }

    /// <summary>The deployment by which something that lies at a provider is asked for: the one it was made by, else any that is left there.</summary>
    /// <exception cref="GatewayException">The provider is gone, or is not lawful for the key.</exception>
    public static Deployment Of(Exchange exchange, Handle handle)
    {
        if (!exchange.Catalog.Providers.TryGetValue(handle.Provider, out Provider? provider) || !Keeps(exchange, provider))
        {
            throw new GatewayException(GatewayError.ProviderRemoved);
        }

        Deployment deployment = (exchange.Catalog.Deployments.TryGetValue(handle.Deployment, out Deployment? same) && same.Provider == provider ? same : null)
            ?? exchange.Catalog.Deployments.Values.FirstOrDefault(other => other.Provider == provider && other.ProtocolFor(exchange.Protocol) is not null)
            ?? provider.AnyModel?.Create(provider, handle.Deployment[(handle.Deployment.IndexOf('/', StringComparison.Ordinal) + 1)..])
            ?? throw new GatewayException(GatewayError.ProviderRemoved);
        return exchange.Key.Allow.Allows(deployment.Data) ? deployment : throw new GatewayException(GatewayError.NoLawfulDeployment);
    }

    private static bool Keeps(Exchange exchange, Provider provider)
    {
        ProviderEndpoint endpoint = ProviderEndpoint.Of(provider.Kind);
        return OperationName.IsOfMessageBatch(exchange.Operation) ? endpoint.KeepsMessageBatches : !endpoint.KeepsMessageBatches && endpoint.KeepAddressOf(provider, "/files") is not null;
    }

    private static Deployment[] OfModel(Exchange exchange, string name, string? line, string field)
    {
        Model model = exchange.Catalog.FindModel(name) ?? throw new GatewayException(GatewayError.ModelNotFound, line, param: field);
        if (exchange.Key.Models is { } allowed && !allowed.Contains(model.Name))
        {
            throw new GatewayException(GatewayError.ModelNotAllowed, line, param: field);
        }

        return Lawful(exchange, model.Candidates.Select(static candidate => candidate.Deployment), line, field);
    }

    /// <summary>By any model that the key may ask for, and at providers that take any model.</summary>
    private static Deployment[] OfKey(Exchange exchange)
    {
        CatalogSnapshot catalog = exchange.Catalog;
        IEnumerable<Model> models = exchange.Key.Models is { } allowed
            ? catalog.ModelOrder.Where(model => allowed.Contains(model.Name)).Concat(allowed.Order(StringComparer.Ordinal).Select(catalog.FindModel).OfType<Model>())
            : catalog.ModelOrder;
        IEnumerable<Deployment> deployments = models.SelectMany(static model => model.Candidates).Select(static candidate => candidate.Deployment);
        IEnumerable<Deployment> ofAny = exchange.Key.Models is null
            ? catalog.Providers.Values.Where(static provider => provider.AnyModel is not null).OrderBy(static provider => provider.Name, StringComparer.Ordinal)
                .Select(static provider => provider.AnyModel!.Create(provider, "files"))
            : [];
        return Lawful(exchange, deployments.Concat(ofAny), null, "model");
    }

    private static Deployment[] Lawful(Exchange exchange, IEnumerable<Deployment> deployments, string? line, string field)
    {
        Deployment[] offered = [.. deployments.Where(deployment => Keeps(exchange, deployment.Provider) && deployment.ProtocolFor(exchange.Protocol) is not null)];
        if (offered.Length == 0)
        {
            throw new GatewayException(GatewayError.OperationNotOffered, line, param: line is null ? null : field);
        }

        Deployment[] lawful = [.. offered.Where(deployment => exchange.Key.Allow.Allows(deployment.Data)).DistinctBy(static deployment => deployment.Provider.Name)];
        return lawful.Length > 0 ? lawful : throw new GatewayException(GatewayError.NoLawfulDeployment, line);
    }

    /// <summary>Of these places those that serve every model of the batch; the ledger names the deployment of its first one.</summary>
    private static List<KeptPlace> Serving(Exchange exchange, Deployment[] places, BatchInput lines)
    {
        // All names are judged before any place is: what the key may not use it may use nowhere.
        Dictionary<string, Deployment[]> serving = lines.Models.ToDictionary(
            static model => model.Name, model => OfModel(exchange, model.Name, lines.PlaceOf(model), lines.Field));
        List<KeptPlace> found = [];
        BatchModel? missing = null;
        foreach (Deployment place in places)
        {
            Deployment? At(BatchModel model) => Array.Find(serving[model.Name], deployment => deployment.Provider == place.Provider);
            if (lines.Models.FirstOrDefault(model => At(model) is null) is { } elsewhere)
            {
                missing ??= elsewhere;
                continue;
            }

            found.Add(new KeptPlace(At(lines.Models[0])!, model => At(model)!.Target));
        }

        return found.Count > 0 ? found : throw new GatewayException(GatewayError.BatchModelElsewhere, lines.PlaceOf(missing!), param: lines.Field);
    }
}
