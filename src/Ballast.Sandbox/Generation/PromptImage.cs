using System.Buffers.Binary;
using System.Globalization;

namespace Ballast.Sandbox.Generation;

/// <summary>An image of a prompt: its format and size where its bytes came along, else only that there is one.</summary>
internal sealed record PromptImage(string? Format, int Width, int Height)
{
    /// <summary>An image given by address; the sandbox fetches nothing.</summary>
    public static readonly PromptImage ByAddress = new(null, 0, 0);

    /// <summary>A document stands among the images: what can be said of it is its name.</summary>
    public static PromptImage Document(string name) => new(null, 0, 0) { Name = name };

    private string? Name { get; init; }

    public bool IsDocument => Name is not null;

    public string Description => Name is not null ? $"the document {Name}" : Format is null
        ? "the image at the given address"
        : string.Create(CultureInfo.InvariantCulture, $"the image, {Width}x{Height} {Format}");

    /// <summary>Reads format and size out of the head of a PNG, JPEG, GIF or WebP file; null for anything else.</summary>
    public static PromptImage? Recognise(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 3 && bytes[0] == 0x89 && bytes[1..].StartsWith("PNG"u8))
        {
            return bytes.Length < 24
                ? new PromptImage("png", 0, 0)
                : new PromptImage(
                    "png", BinaryPrimitives.ReadInt32BigEndian(bytes[16..]), BinaryPrimitives.ReadInt32BigEndian(bytes[20..]));
        }

        if (bytes.StartsWith("GIF8"u8))
        {
            return bytes.Length < 10
                ? new PromptImage("gif", 0, 0)
                : new PromptImage(
                    "gif", BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]));
        }

        if (bytes.Length > 12 && bytes.StartsWith("RIFF"u8) && bytes[8..].StartsWith("WEBP"u8))
        {
            return new PromptImage("webp", 0, 0);
        }

        return bytes.Length > 2 && bytes[0] == 0xFF && bytes[1] == 0xD8 ? ReadJpeg(bytes) : null;
    }

    private static PromptImage ReadJpeg(ReadOnlySpan<byte> bytes)
    {
        int at = 2;
        while (at + 9 < bytes.Length && bytes[at] == 0xFF)
        {
            byte marker = bytes[at + 1];
            if (marker is >= 0xC0 and <= 0xCF and not 0xC4 and not 0xC8 and not 0xCC)
            {
                int height = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 5)..]);
                int width = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 7)..]);
                return new PromptImage("jpeg", width, height);
            }

            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
        }

        return new PromptImage("jpeg", 0, 0);
    }
}
