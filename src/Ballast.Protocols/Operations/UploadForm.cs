using System.Buffers;
using System.Text;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>
/// The <c>multipart/form-data</c> body of an upload (RFC 7578), read strictly and written anew: fields, names and contents as they came, under a boundary of its own
/// and with no part header but those that were understood. So nobody further on can find another file or another purpose in it than was found here.
/// </summary>
public sealed class UploadForm
{
    /// <summary>Most fields of a form.</summary>
    public const int PartsMax = 32;

    /// <summary>Longest value of a field that is read as text, in bytes.</summary>
    public const int TextBytesMax = 512;

    /// <summary>Longest boundary, RFC 2046, its two dashes included.</summary>
    private const int BoundaryBytesMax = 72;

    private const int HeadBytesMax = 4096;

    private readonly record struct Part(string Name, string? FileName, string? FileNameStar, string? ContentType, JsonSpan Content);

    private readonly ReadOnlyMemory<byte> _body;
    private readonly List<Part> _parts = [];

    private UploadForm(ReadOnlyMemory<byte> body) => _body = body;

    /// <summary>The content of the field <c>file</c>.</summary>
    public ReadOnlyMemory<byte> File { get; private set; }

    /// <summary>What the file is for, as the caller says.</summary>
    public string Purpose { get; private set; } = "";

    /// <summary>The field <c>model</c>, which is not passed on; null where there is none.</summary>
    public string? Model { get; private set; }

    /// <summary>Reads a whole form.</summary>
    /// <exception cref="ProtocolException">It is none, lacks a file or a purpose, or has one of them twice.</exception>
    public static UploadForm Read(ReadOnlyMemory<byte> body, string? contentType)
    {
        if (contentType is null || !contentType.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            throw ProtocolException.Invalid("The request body must be multipart/form-data.");
        }

        UploadForm form = new(body);
        form.Split();
        form.File = form.Only("file") is { } file
            ? body.Slice(file.Content.Start, file.Content.Length)
            : throw Missing("file");
        form.Purpose = form.Text("purpose") ?? throw Missing("purpose");
        form.Model = form.Text("model");
        return form;
    }

    /// <summary>Writes the form without its field <c>model</c>.</summary>
    /// <param name="boundary">Drawn at random, so that no content holds it.</param>
    /// <param name="fileEdits">What changes in the file, sorted.</param>
    /// <param name="output">Where it is written.</param>
    public void Write(string boundary, ReadOnlySpan<JsonEdit> fileEdits, IBufferWriter<byte> output)
    {
        foreach (Part part in _parts)
        {
            if (part.Name == "model")
            {
                continue;
            }

            string fileName = (part.FileName is null ? "" : $"; filename={part.FileName}") + (part.FileNameStar is null ? "" : $"; filename*={part.FileNameStar}");
            string type = part.ContentType is null ? "" : $"Content-Type: {part.ContentType}\r\n";
            output.Write(Encoding.UTF8.GetBytes($"--{boundary}\r\nContent-Disposition: form-data; name=\"{part.Name}\"{fileName}\r\n{type}\r\n"));
            ReadOnlySpan<byte> content = _body.Span.Slice(part.Content.Start, part.Content.Length);
            JsonSplice.Write(content, part.Name == "file" ? fileEdits : [], output);
            output.Write("\r\n"u8);
        }

        output.Write(Encoding.ASCII.GetBytes($"--{boundary}--\r\n"));
    }

    private void Split()
    {
        ReadOnlySpan<byte> body = _body.Span;
        int lineEnd = body.IndexOf("\r\n"u8);
        if (!body.StartsWith("--"u8) || lineEnd is < 3 or > BoundaryBytesMax)
        {
            throw Broken();
        }

        ReadOnlySpan<byte> delimiter = [.. "\r\n"u8, .. body[..lineEnd]];
        int position = lineEnd + 2;
        while (true)
        {
            int headLength = body[position..].IndexOf("\r\n\r\n"u8);
            if (headLength is < 0 or > HeadBytesMax)
            {
                throw Broken();
            }

            int start = position + headLength + 4;
            int length = body[start..].IndexOf(delimiter);
            if (length < 0)
            {
                throw Broken();
            }

            if (_parts.Count == PartsMax)
            {
                throw ProtocolException.Invalid($"The form has more than {PartsMax} fields.");
            }

            _parts.Add(ReadHead(Encoding.UTF8.GetString(body.Slice(position, headLength)), new JsonSpan(start, length)));
            position = start + length + delimiter.Length;
            if (body[position..].StartsWith("--"u8))
            {
                return;
            }

            if (!body[position..].StartsWith("\r\n"u8))
            {
                throw Broken();
            }

            position += 2;
        }
    }

    /// <summary>Of a part's headers the disposition and the content type; any other could change what the content means, and is left out.</summary>
    private static Part ReadHead(string head, JsonSpan content)
    {
        string? disposition = null;
        string? type = null;
        foreach (string line in head.Split("\r\n"))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan().ContainsAnyInRange('\0', '\x1f') || line.Contains('\x7f', StringComparison.Ordinal))
            {
                throw Broken();
            }

            string value = line[(colon + 1)..].Trim();
            if (line.AsSpan(0, colon).Equals("content-disposition", StringComparison.OrdinalIgnoreCase))
            {
                disposition = disposition is null ? value : throw Broken();
            }
            else if (line.AsSpan(0, colon).Equals("content-type", StringComparison.OrdinalIgnoreCase))
            {
                type = type is null ? value : throw Broken();
            }
        }

        return ReadDisposition(disposition ?? throw Broken()) with { ContentType = type, Content = content };
    }

    private static Part ReadDisposition(string text)
    {
        const string Type = "form-data";
        if (!text.StartsWith(Type, StringComparison.OrdinalIgnoreCase))
        {
            throw Broken();
        }

        string? name = null;
        string? fileName = null;
        string? fileNameStar = null;
        ReadOnlySpan<char> rest = text.AsSpan(Type.Length).Trim();
        while (!rest.IsEmpty)
        {
            (string parameter, string value) = TakeParameter(ref rest);
            switch (parameter)
            {
                case "name" when name is null:
                    name = Unquote(value);
                    break;
                case "filename" when fileName is null:
                    fileName = value;
                    break;
                case "filename*" when fileNameStar is null:
                    fileNameStar = value;
                    break;
                default:
                    throw Broken();
            }
        }

        return new Part(name is { Length: > 0 } ? name : throw Broken(), fileName, fileNameStar, null, default);
    }

    /// <summary>Takes <c>; name=token</c> or <c>; name="quoted"</c> off the front; the value as it stands there, quotes and escapes included.</summary>
    private static (string Name, string Value) TakeParameter(ref ReadOnlySpan<char> rest)
    {
        int equals = rest.IndexOf('=');
        if (rest[0] != ';' || equals < 0)
        {
            throw Broken();
        }

        string name = rest[1..equals].Trim().ToString().ToLowerInvariant();
        ReadOnlySpan<char> value = rest[(equals + 1)..].TrimStart();
        int length = 0;
        if (value.StartsWith("\""))
        {
            for (length = 1; length < value.Length && value[length] != '"'; length++)
            {
                length += value[length] == '\\' ? 1 : 0;
            }

            length = length < value.Length ? length + 1 : throw Broken();
        }
        else
        {
            length = value.IndexOfAny(';', ' ') is var end && end < 0 ? value.Length : end;
            if (length == 0 || value[..length].ContainsAny("\"\\,"))
            {
                throw Broken();
            }
        }

        rest = value[length..].Trim();
        return (name, value[..length].ToString());
    }

    /// <summary>Names are written again between quotes: one that would need an escape there is refused.</summary>
    private static string Unquote(string value)
    {
        string name = value.StartsWith('"') ? value[1..^1] : value;
        return name.AsSpan().ContainsAny('"', '\\') ? throw Broken() : name;
    }

    private Part? Only(string name)
    {
        Part? found = null;
        foreach (Part part in _parts)
        {
            if (part.Name == name)
            {
                found = found is null ? part : throw ProtocolException.Invalid($"The field '{name}' is given more than once.", name);
            }
        }

        return found;
    }

    private string? Text(string name)
    {
        if (Only(name) is not { } part)
        {
            return null;
        }

        ReadOnlySpan<byte> text = _body.Span.Slice(part.Content.Start, part.Content.Length);
        return text.Length is > 0 and <= TextBytesMax && !text.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? Encoding.ASCII.GetString(text)
            : throw ProtocolException.Invalid($"Invalid value for '{name}'.", name);
    }

    private static ProtocolException Missing(string field) =>
        new(new Conversation.ChatError(Conversation.ChatErrorKind.InvalidRequest, $"Missing required parameter: '{field}'.") { Param = field, Code = "missing_required_parameter" });

    private static ProtocolException Broken() => ProtocolException.Invalid("The request body is no well-formed multipart form.");
}
