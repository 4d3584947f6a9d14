using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols;

/// <summary>
/// <c>anthropic_beta</c>: where a body names the beta features that are asked for elsewhere by the header <c>anthropic-beta</c> (Claude on clouds whose requests carry no
/// headers of the vendor's).
/// </summary>
public static class BetaField
{
    /// <summary>Where it stands in a body of Messages or InvokeModel.</summary>
    public const string Pointer = "/anthropic_beta";

    /// <summary>Where it stands in a body of Converse.</summary>
    public const string ConversePointer = "/additionalModelRequestFields/anthropic_beta";

    /// <summary>What may hold the field without being looked at closely.</summary>
    public static bool MayBeIn(ReadOnlySpan<byte> body) => body.IndexOf("\"anthropic_beta\""u8) >= 0;

    /// <summary>The features that a body names at its top; null where it names none, or not as a list of texts.</summary>
    /// <param name="body">A JSON object.</param>
    public static IReadOnlyList<string>? Read(ReadOnlySpan<byte> body)
    {
        Utf8JsonReader json = new(body, JsonFields.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isFound = json.ValueTextEquals("anthropic_beta"u8);
            json.Read();
            if (isFound)
            {
                return ReadList(ref json);
            }

            json.Skip();
        }

        return null;
    }

    /// <summary>The same of the field's value.</summary>
    public static IReadOnlyList<string>? ReadValue(ReadOnlySpan<byte> value)
    {
        Utf8JsonReader json = new(value, JsonFields.ReaderOptions);
        json.Read();
        return ReadList(ref json);
    }

    /// <summary>Writes a body with other features than its own, and every other byte as it is.</summary>
    /// <param name="body">A JSON object.</param>
    /// <param name="betas">None: the field is left out.</param>
    /// <param name="output">Takes the body.</param>
    internal static void Replace(ReadOnlySpan<byte> body, IReadOnlyList<string> betas, IBufferWriter<byte> output)
    {
        output.Write("{"u8);
        bool isFirst = !TryWriteList(betas, output);
        Utf8JsonReader json = new(body, JsonFields.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)json.TokenStartIndex;
            bool isLeftOut = json.ValueTextEquals("anthropic_beta"u8);
            json.Read();
            json.Skip();
            if (!isLeftOut)
            {
                output.Write(isFirst ? ""u8 : ","u8);
                output.Write(body[start..(int)json.BytesConsumed]);
                isFirst = false;
            }
        }

        output.Write("}"u8);
    }

    /// <summary>Writes name and value without a comma; false, and nothing is written, where there are none.</summary>
    internal static bool TryWriteList(IReadOnlyList<string>? betas, IBufferWriter<byte> output)
    {
        if (betas is not { Count: > 0 })
        {
            return false;
        }

        output.Write("\"anthropic_beta\":"u8);
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        WriteValue(json, betas);
        return true;
    }

    /// <summary>Writes the field where there are any.</summary>
    internal static void Write(Utf8JsonWriter json, IReadOnlyList<string>? betas)
    {
        if (betas is { Count: > 0 })
        {
            json.WritePropertyName("anthropic_beta"u8);
            WriteValue(json, betas);
        }
    }

    private static void WriteValue(Utf8JsonWriter json, IReadOnlyList<string> betas)
    {
        json.WriteStartArray();
        foreach (string beta in betas)
        {
            json.WriteStringValue(beta);
        }

        json.WriteEndArray();
    }

    private static List<string>? ReadList(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return null;
        }

        List<string> betas = [];
        while (json.Read() && json.TokenType == JsonTokenType.String)
        {
            betas.Add(JsonText.Read(ref json));
        }

        return json.TokenType == JsonTokenType.EndArray ? betas : null;
    }
}
