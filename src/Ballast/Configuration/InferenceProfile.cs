namespace Ballast.Configuration;

/// <summary>
/// At AWS the beginning of a model's id is a fact about residency: <c>us.</c>, <c>eu.</c>, <c>apac.</c> and <c>global.</c> are inference profiles, which route requests across
/// regions (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html).
/// </summary>
public static class InferenceProfile
{
    /// <summary>Where data of such a model goes, as <c>data.geo</c> calls it; null where the id is no profile's, or the platform is not AWS.</summary>
    /// <param name="platform">Who operates the endpoint.</param>
    /// <param name="model">The upstream's name of the model: an id, or the ARN of a profile.</param>
    public static string? GeoOf(string? platform, string model)
    {
        if (platform != "aws")
        {
            return null;
        }

        ReadOnlySpan<char> id = model.AsSpan(model.LastIndexOf('/') + 1);
        int dot = id.IndexOf('.');
        return dot < 0 ? null : id[..dot] switch
        {
            "us" => "us",
            "eu" => "eu",
            "apac" => "apac",
            "global" => "global",
            _ => null,
        };
    }

    /// <summary>
    /// Where data of a deployment goes whose own <c>data.geo</c> says something as well: the wider of the two counts, since a word in a file does not keep data from where the
    /// profile sends it. Two places of which neither holds the other are <c>global</c> together; a word that is no profile's may be a part of the profile's place.
    /// </summary>
    /// <param name="platform">Who operates the endpoint.</param>
    /// <param name="model">The upstream's name of the model.</param>
    /// <param name="written">The deployment's own; null where it says nothing.</param>
    /// <returns>Null where neither says anything.</returns>
    public static string? WidestOf(string? platform, string model, string? written) =>
        GeoOf(platform, model) is not { } profile ? written
        : written is not ("us" or "eu" or "apac" or "global") || written == profile ? profile
        : "global";
}
