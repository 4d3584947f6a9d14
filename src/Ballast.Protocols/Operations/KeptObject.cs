using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>A place where an answer names something that lies at the platform.</summary>
/// <param name="Field">The field's name.</param>
/// <param name="Value">Where the value lies, quotes included.</param>
/// <param name="Id">The platform's id.</param>
public sealed record KeptId(string Field, JsonSpan Value, string Id);

/// <summary>
/// What a platform tells of a file or batch that it keeps: <c>{"id": …, "object": "file" | "batch", …}</c>. Found are the ids in it and what is known of its state; every
/// other byte stays as it was.
/// </summary>
public sealed class KeptObject
{
    /// <summary>Longest id taken, in characters.</summary>
    public const int IdLengthMax = 256;

    private const int DepthMax = 64;

    private readonly List<KeptId> _ids = [];

    private KeptObject()
    {
    }

    /// <summary>The object's own id.</summary>
    public KeptId Id { get; private set; } = null!;

    /// <summary>All ids in it, its own included, in the order of their places: the object itself, and a batch's files.</summary>
    public IReadOnlyList<KeptId> Ids => _ids;

    /// <summary>What it says it is.</summary>
    public string? Kind { get; private set; }
    public string? Status { get; private set; }

    /// <summary>It says that it was deleted.</summary>
    public bool IsDeleted { get; private set; }

    /// <summary>Where a batch of Messages says that its results are; absent where it says nothing.</summary>
    public JsonSpan ResultsAddress { get; private set; }

    /// <summary>When the platform throws it away, in seconds since 1970; null where it does not say.</summary>
    public long? ExpiresAt { get; private set; }

    /// <summary>The tokens of a batch, where the platform tells them.</summary>
    public Usage? Usage { get; private set; }

    /// <summary>Reads an answer.</summary>
    /// <exception cref="ProtocolException">It is no such object.</exception>
    public static KeptObject Read(ReadOnlyMemory<byte> body)
    {
        KeptObject found = new();
        try
        {
            if (Utf8.IsValid(body.Span))
            {
                found.Scan(body.Span);
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            found.Id = null!;
        }

        return found.Id is null ? throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer is no file and no batch.")) : found;
    }

    /// <summary>The changes that put other ids in place of the platform's.</summary>
    /// <param name="name">Gives the id that its owner knows.</param>
    /// <param name="results">Where its owner finds the results of a batch of Messages.</param>
    public JsonEdit[] EditsFor(Func<KeptId, string> name, string results = "")
    {
        IEnumerable<JsonEdit> edits = _ids.Select(id => new JsonEdit(id.Value, Encoding.ASCII.GetBytes($"\"{name(id)}\"")));
        return ResultsAddress.IsPresent
            ? [.. edits.Append(new JsonEdit(ResultsAddress, Encoding.ASCII.GetBytes($"\"{results}\""))).OrderBy(static edit => edit.Span.Start)]
            : [.. edits];
    }

    private void Scan(ReadOnlySpan<byte> body)
    {
        Utf8JsonReader reader = new(body, new JsonReaderOptions { MaxDepth = DepthMax });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        while (reader.Read())
        {
            if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName)
            {
                string field = JsonText.Read(ref reader);
                reader.Read();
                Take(field, ref reader);
            }
        }
    }

    private void Take(string field, ref Utf8JsonReader reader)
    {
        bool isText = reader.TokenType == JsonTokenType.String;
        switch (field)
        {
            case "id" or "input_file_id" or "output_file_id" or "error_file_id" when isText:
                string id = JsonText.Read(ref reader);
                if (id is "" or "." or ".." || id.Length > IdLengthMax || (field == "id" && Id is not null))
                {
                    throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"An id of {id.Length} characters, or a second one."));
                }

                int start = (int)reader.TokenStartIndex;
                KeptId found = new(field, new JsonSpan(start, (int)reader.BytesConsumed - start), id);
                _ids.Add(found);
                if (field == "id")
                {
                    Id = found;
                }

                break;
            case "object" when isText:
                Kind = JsonText.Read(ref reader);
                break;
            case "type" when isText:
                string type = JsonText.Read(ref reader);
                IsDeleted |= type == "message_batch_deleted";
                break;
            case "results_url" when isText:
                ResultsAddress = new JsonSpan((int)reader.TokenStartIndex, (int)(reader.BytesConsumed - reader.TokenStartIndex));
                break;
            case "status" or "processing_status" when isText:
                Status = JsonText.Read(ref reader);
                break;
            case "deleted":
                IsDeleted = reader.TokenType == JsonTokenType.True;
                break;
            case "expires_at" when reader.TokenType == JsonTokenType.Number:
                ExpiresAt = reader.TryGetInt64(out long at) ? at : null;
                break;
            case "usage" when reader.TokenType == JsonTokenType.StartObject:
                Usage = OperationUsage.Read(ref reader);
                break;
            default:
                reader.Skip();
                break;
        }
    }
}
