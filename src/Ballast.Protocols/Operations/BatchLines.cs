using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>
/// The input of a batch: one request a line, <c>{"custom_id": …, "method": …, "url": …, "body": {"model": …, …}}</c>. Found is where each line names its model; every
/// other byte stays as it was.
/// </summary>
public sealed class BatchLines : BatchInput
{
    private const int DepthMax = 64;

    private readonly List<(JsonSpan Value, int Model)> _places = [];

    private BatchLines()
    {
    }

    public override string Field => "file";

    public override string PlaceOf(BatchModel model) => Say($"See line {model.Line} of the batch.");

    /// <summary>Reads all lines.</summary>
    /// <exception cref="ProtocolException">A line is no such request; the message names it.</exception>
    public static BatchLines Read(ReadOnlySpan<byte> file)
    {
        BatchLines lines = new();
        int start = 0;
        int number = 0;
        while (start < file.Length)
        {
            int length = file[start..].IndexOf((byte)'\n');
            length = length < 0 ? file.Length - start : length;
            number++;
            ReadOnlySpan<byte> line = file.Slice(start, length);
            if (line.ContainsAnyExcept(" \t\r"u8))
            {
                if (lines._places.Count == LinesMax)
                {
                    throw ProtocolException.Invalid($"The batch has more than {LinesMax} requests.", "file");
                }

                lines.Add(line, start, number);
            }

            start += length + 1;
        }

        return lines;
    }

    /// <summary>The changes that put the upstream's names in place of the public ones.</summary>
    /// <param name="sentName">Gives the upstream's name of a model of <see cref="BatchInput.Models"/>.</param>
    public JsonEdit[] EditsFor(Func<BatchModel, string> sentName)
    {
        byte[][] quoted = [.. Models.Select(model => Quote(sentName(model)))];
        return [.. _places.Select(place => new JsonEdit(place.Value, quoted[place.Model]))];
    }

    public override JsonEdit[] EditsFor(Func<BatchModel, RequestTarget> target, LossReport losses) => EditsFor(model => target(model).Model);

    private void Add(ReadOnlySpan<byte> line, int start, int number)
    {
        string? name = null;
        JsonSpan value = default;
        try
        {
            if (Utf8.IsValid(line))
            {
                name = FindModel(line, out value);
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            name = null;
        }

        if (name is null)
        {
            throw At(number, "is no JSON object with one 'body' that names one 'model'.");
        }

        int index = Note(name, number);
        if (index < 0)
        {
            throw At(number, $"is the first to name more than {ModelsMax} models.");
        }

        _places.Add((new JsonSpan(start + value.Start, value.Length), index));
    }

    /// <summary>The text of <c>body.model</c>; null where it is missing or no text. Doubled, it would be one name here and another there.</summary>
    private static string? FindModel(ReadOnlySpan<byte> line, out JsonSpan value)
    {
        value = default;
        string? model = null;
        Utf8JsonReader reader = new(line, new JsonReaderOptions { MaxDepth = DepthMax });
        int bodies = 0;
        int models = 0;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        bool isInBody = false;
        while (reader.Read())
        {
            if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName)
            {
                isInBody = JsonText.Read(ref reader) == "body";
                bodies += isInBody ? 1 : 0;
            }
            else if (isInBody && reader.CurrentDepth == 2 && reader.TokenType == JsonTokenType.PropertyName && JsonText.Read(ref reader) == "model")
            {
                models++;
                reader.Read();
                value = new JsonSpan((int)reader.TokenStartIndex, (int)reader.BytesConsumed - (int)reader.TokenStartIndex);
                model = reader.TokenType == JsonTokenType.String ? JsonText.Read(ref reader) : null;
                reader.Skip();
            }
        }

        return bodies == 1 && models == 1 ? model : null;
    }

    private static ProtocolException At(int number, string what) =>
        new(new ChatError(ChatErrorKind.InvalidRequest, string.Create(CultureInfo.InvariantCulture, $"Line {number} of the batch {what}")) { Param = "file" });
}
