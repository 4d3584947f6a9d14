using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>A model that a batch's requests name, and the first request that does, counted from 1.</summary>
public sealed record BatchModel(string Name, int Line);

/// <summary>The requests of a batch, whatever their form: which models they name, and what of them must change to lie at a platform.</summary>
public abstract class BatchInput
{
    /// <summary>Most requests of one batch; the platforms themselves take 50,000 to 100,000.</summary>
    public const int LinesMax = 100_000;

    /// <summary>Most models of one batch; OpenAI's platforms want one.</summary>
    public const int ModelsMax = 16;

    private readonly List<BatchModel> _models = [];

    /// <summary>The models named, in the order of their first request; none where there is no request.</summary>
    public IReadOnlyList<BatchModel> Models => _models;

    /// <summary>The field in which the requests came, for errors.</summary>
    public abstract string Field { get; }

    /// <summary>The first request that names a model, in words.</summary>
    public abstract string PlaceOf(BatchModel model);

    /// <summary>The changes that make the batch one of its platform's.</summary>
    /// <param name="target">Gives where the requests for a model of <see cref="Models"/> go.</param>
    /// <param name="losses">Takes what cannot go there.</param>
    public abstract JsonEdit[] EditsFor(Func<BatchModel, RequestTarget> target, LossReport losses);

    /// <summary>The model's place in <see cref="Models"/>; -1 where there is no room for one more.</summary>
    protected int Note(string name, int line)
    {
        int index = _models.FindIndex(model => model.Name == name);
        if (index < 0 && _models.Count < ModelsMax)
        {
            index = _models.Count;
            _models.Add(new BatchModel(name, line));
        }

        return index;
    }

    /// <summary>A model's name as a JSON string.</summary>
    protected static byte[] Quote(string name) => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");

    /// <summary>The text with its numbers as they are everywhere.</summary>
    protected static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
