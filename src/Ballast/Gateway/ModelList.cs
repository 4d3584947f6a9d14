using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Microsoft.AspNetCore.Http;

namespace Ballast.Gateway;

/// <summary>Answers a list of models: what this key may ask for, in the order of the configuration.</summary>
public static class ModelList
{
    public static async Task SendAsync(Exchange exchange, ClientResponse response, HttpResponse http, CancellationToken aborted)
    {
        List<ModelDescription> models = [];
        foreach (Model model in exchange.Catalog.ModelOrder)
        {
            bool isAllowed = exchange.Key.Models is null || exchange.Key.Models.Contains(model.Name);
            if (isAllowed && model.Candidates.Any(candidate => exchange.Key.Allow.Allows(candidate.Deployment.Data)))
            {
                string owner = model.IsDeployment ? model.Candidates[0].Deployment.Vendor : "ballast";
                models.Add(new ModelDescription(model.Name, owner, model.CreatedUnixSeconds));
            }
        }

        http.ContentType = "application/json";
        response.SetIds();
        exchange.Protocol.WriteModels(models, response.Output);
        await response.SendHeldAsync(aborted).ConfigureAwait(false);
    }
}
