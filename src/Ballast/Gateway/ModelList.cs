using System.Text.Json;
using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Transport;

namespace Ballast.Gateway;

/// <summary>Answers a list of models: what this key may ask for, in the order of the configuration; or one of them.</summary>
public static class ModelList
{
    /// <param name="exchange">Whose key asks.</param>
    /// <param name="name">The one model that is asked for; null for the list.</param>
    /// <param name="response">Where the answer goes.</param>
    /// <param name="http">The same, for the content type.</param>
    /// <param name="aborted">The client has gone.</param>
    /// <exception cref="GatewayException">There is no such model, or none that this key may ask for.</exception>
    public static async Task SendAsync(Exchange exchange, string? name, ClientResponse response, HttpCall http, CancellationToken aborted)
    {
        if (exchange.Operation == Operation.Version)
        {
            exchange.Protocol.WriteVersion(response.Output);
        }
        else if (name is null)
        {
            exchange.Protocol.WriteModels([.. exchange.Catalog.ModelOrder.Where(model => MayAsk(exchange, model)).Select(Describe)], http.Query, response.Output);
        }
        else
        {
            Model? model = exchange.Catalog.FindModel(name);
            exchange.Protocol.WriteModel(
                model is not null && MayAsk(exchange, model) ? Describe(model) : throw new GatewayException(GatewayError.ModelNotFound, param: "model"), response.Output);
        }

        http.SetHeader("Content-Type", "application/json");
        response.SetIds();
        await response.SendHeldAsync(aborted).ConfigureAwait(false);
    }

    /// <summary>The model that a body asks about, where the address does not name it.</summary>
    /// <exception cref="ProtocolException">It names none.</exception>
    public static string NameIn(ReadOnlyMemory<byte> body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            foreach (string field in (ReadOnlySpan<string>)["model", "name"])
            {
                if (document.RootElement.TryGetProperty(field, out JsonElement name) && name.GetString() is { Length: > 0 } text)
                {
                    return text;
                }
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw ProtocolException.Invalid("The request body could not be read.");
        }

        throw ProtocolException.Invalid("model is required", "model");
    }

    private static bool MayAsk(Exchange exchange, Model model) =>
        (exchange.Key.Models is null || exchange.Key.Models.Contains(model.Name))
        && model.Candidates.Any(candidate => exchange.Key.Allow.Allows(candidate.Deployment.Data));

    private static ModelDescription Describe(Model model) =>
        new(model.Name, model.IsDeployment ? model.Candidates[0].Deployment.Vendor : "ballast", model.CreatedUnixSeconds);
}
