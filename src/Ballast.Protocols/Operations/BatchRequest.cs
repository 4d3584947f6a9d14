using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>The body that begins a batch: of it only <c>input_file_id</c> is read, and replaced.</summary>
public sealed class BatchRequest
{
    private const string Field = "input_file_id";
    private const int DepthMax = 64;

    private BatchRequest(string inputFileId, JsonSpan value)
    {
        InputFileId = inputFileId;
        Value = value;
    }

    /// <summary>The file of which the batch is made, as the caller knows it.</summary>
    public string InputFileId { get; }

    /// <summary>Where it lies, quotes included.</summary>
    public JsonSpan Value { get; }

    /// <exception cref="ProtocolException">The body is no JSON object that names its file once.</exception>
    public static BatchRequest Read(ReadOnlySpan<byte> body)
    {
        try
        {
            if (Utf8.IsValid(body))
            {
                return Scan(body);
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Told below.
        }

        throw ProtocolException.Invalid("The request body is not valid JSON.");
    }

    private static BatchRequest Scan(ReadOnlySpan<byte> body)
    {
        Utf8JsonReader reader = new(body, new JsonReaderOptions { MaxDepth = DepthMax });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw ProtocolException.Invalid("The request body must be a JSON object.");
        }

        BatchRequest? found = null;
        while (reader.Read())
        {
            if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName || JsonText.Read(ref reader) != Field)
            {
                continue;
            }

            reader.Read();
            if (found is not null || reader.TokenType != JsonTokenType.String)
            {
                throw ProtocolException.Invalid(found is null ? $"Invalid type for '{Field}': expected a string." : $"The field '{Field}' is given more than once.", Field);
            }

            int start = (int)reader.TokenStartIndex;
            found = new BatchRequest(JsonText.Read(ref reader), new JsonSpan(start, (int)reader.BytesConsumed - start));
        }

        return found
            ?? throw new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, $"Missing required parameter: '{Field}'.") { Param = Field, Code = "missing_required_parameter" });
    }
}
