namespace Ballast.Transport.Http1;

/// <summary>Where a header lies in the bytes of its head.</summary>
internal readonly record struct HeaderField(int NameStart, int NameLength, int ValueStart, int ValueLength);
