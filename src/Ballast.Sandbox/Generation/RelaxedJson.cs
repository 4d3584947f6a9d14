using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ballast.Sandbox.Generation;

/// <summary>JSON with letters of all alphabets and quotes left as they are, as vendors write it.</summary>
internal static class RelaxedJson
{
    public static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static readonly JsonWriterOptions Writer = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
