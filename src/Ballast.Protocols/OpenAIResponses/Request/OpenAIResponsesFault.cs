using System.Globalization;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>What is wrong with a request, in OpenAI's words; places are JSON pointers until then.</summary>
internal static class OpenAIResponsesFault
{
    public static ProtocolException Missing(string pointer)
    {
        string place = Place(pointer);
        return new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, $"Missing required parameter: '{place}'.")
        {
            Param = place,
            Code = "missing_required_parameter",
        });
    }

    public static ProtocolException WrongType(string pointer, string expected)
    {
        string place = pointer.StartsWith('/') ? Place(pointer) : pointer;
        return new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, $"Invalid type for '{place}': expected {expected}.")
        {
            Param = place,
            Code = "invalid_type",
        });
    }

    public static ProtocolException Invalid(string pointer, string reason)
    {
        string place = Place(pointer);
        return new ProtocolException(new ChatError(ChatErrorKind.InvalidRequest, $"Invalid value for '{place}': {reason}.") { Param = place, Code = "invalid_value" });
    }

    /// <summary>The pointer to a property or item below another.</summary>
    public static string Below(string pointer, string name) =>
        name.AsSpan().IndexOfAny('~', '/') < 0 ? $"{pointer}/{name}" : $"{pointer}/{name.Replace("~", "~0").Replace("/", "~1")}";

    public static string Below(string pointer, int index) => string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}");

    /// <summary>A pointer in OpenAI's notation: <c>/input/0/role</c> is <c>input[0].role</c>.</summary>
    private static string Place(string pointer)
    {
        StringBuilder place = new();
        foreach (string step in pointer.Split('/').Skip(1))
        {
            if (step.Length > 0 && step.All(char.IsAsciiDigit))
            {
                place.Append('[').Append(step).Append(']');
            }
            else
            {
                place.Append(place.Length > 0 ? "." : "").Append(step.Replace("~1", "/").Replace("~0", "~"));
            }
        }

        return place.ToString();
    }
}
