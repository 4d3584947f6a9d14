using System.Text.Json;
using System.Text.Unicode;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>Looks at a JSON body just closely enough to route it: well-formed, an object, no top-level field twice; what stands in <c>model</c> and <c>stream</c>.</summary>
internal ref struct TopLevelFields
{
    private const int DepthMax = 64;
    private const int FieldCountMax = 256;

    public string? Model { get; private set; }
    public JsonSpan ModelValue { get; private set; }
    public bool Stream { get; private set; }

    /// <summary>Where a field may be put in: right behind the opening brace.</summary>
    public int BodyStart { get; private set; }
    public bool IsEmpty { get; private set; }

    /// <exception cref="ProtocolException">The body is no such object.</exception>
    public static TopLevelFields Read(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
        {
            throw ProtocolException.Invalid("The request body is not valid UTF-8.");
        }

        TopLevelFields fields = new() { IsEmpty = true };
        try
        {
            fields.Scan(body);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw ProtocolException.Invalid("The request body is not valid JSON.");
        }

        return fields;
    }

    private void Scan(ReadOnlySpan<byte> body)
    {
        Utf8JsonReader reader = new(body, new JsonReaderOptions { MaxDepth = DepthMax });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw ProtocolException.Invalid("The request body must be a JSON object.");
        }

        BodyStart = (int)reader.BytesConsumed;
        HashSet<string> names = new(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            IsEmpty = false;
            string name = JsonText.Read(ref reader);
            if (!names.Add(name) || names.Count > FieldCountMax)
            {
                throw ProtocolException.Invalid(
                    names.Count > FieldCountMax ? $"The request body has more than {FieldCountMax} fields." : $"The field '{Short(name)}' is given more than once.", Short(name));
            }

            reader.Read();
            int start = (int)reader.TokenStartIndex;
            if (name == "model" && reader.TokenType != JsonTokenType.Null)
            {
                Model = reader.TokenType == JsonTokenType.String ? JsonText.Read(ref reader) : throw ProtocolException.Invalid("Invalid type for 'model': expected a string.", "model");
                ModelValue = new JsonSpan(start, (int)reader.BytesConsumed - start);
            }
            else if (name == "model")
            {
                ModelValue = new JsonSpan(start, (int)reader.BytesConsumed - start);
            }
            else if (name == "stream")
            {
                Stream = reader.TokenType == JsonTokenType.True;
            }

            reader.Skip();
        }

        // What follows the object is judged too.
        while (reader.Read())
        {
        }
    }

    private static string Short(string name) => name.Length <= 64 ? name : name[..64];
}
