namespace Ballast.Ledger;

/// <summary>What one application sent to one deployment: the grain from which shares of any component are summed.</summary>
/// <param name="App">The application.</param>
/// <param name="Deployment"><c>provider/model</c>.</param>
/// <param name="Vendor">Who makes the model.</param>
/// <param name="Platform">Who operates the endpoint.</param>
/// <param name="Region">Where it runs.</param>
/// <param name="Requests">Exchanges that this deployment answered, in full or in part: each exchange counts once over all rows.</param>
/// <param name="Attempts">All attempts, failed ones too.</param>
/// <param name="Tokens">Input and output tokens of all classes.</param>
/// <param name="CostUsd">US dollars, as far as known.</param>
public sealed record ShareRow(
    string App, string Deployment, string Vendor, string Platform, string Region, long Requests, long Attempts, long Tokens, decimal CostUsd);
