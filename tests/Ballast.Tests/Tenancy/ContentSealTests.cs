using System.Security.Cryptography;
using System.Text;
using Ballast.Tenancy;

namespace Ballast.Tests.Tenancy;

/// <summary>What is kept of conversations and answers: whoever has the file alone reads nothing, and nothing opens for another, under another secret, for another purpose or changed.</summary>
public sealed class ContentSealTests
{
    private const string Owner = "key-of-one";

    private static readonly byte[] s_text = Encoding.UTF8.GetBytes("""{"input":"what was said"}""");
    private static readonly ContentSeal s_seal = new(SHA256.HashData("one secret"u8));

    [Fact]
    public void Open_ForItsOwner_GivesWhatWasClosed()
    {
        byte[] closed = s_seal.Close(Owner, s_text);

        Assert.Equal(s_text, s_seal.Open(Owner, closed));
        Assert.Equal(-1, closed.AsSpan().IndexOf("said"u8));
        Assert.NotEqual(closed, s_seal.Close(Owner, s_text)); // a number used twice would tell which texts are alike
    }

    [Fact]
    public void Open_MovedToAnotherOwner_DoesNotOpen()
    {
        byte[] closed = s_seal.Close(Owner, s_text);

        Assert.ThrowsAny<CryptographicException>(() => s_seal.Open("key-of-another", closed));
    }

    [Fact]
    public void Open_UnderAnotherSecret_DoesNotOpen()
    {
        byte[] closed = s_seal.Close(Owner, s_text);

        Assert.ThrowsAny<CryptographicException>(() => new ContentSeal(SHA256.HashData("another secret"u8)).Open(Owner, closed));
    }

    [Fact]
    public void Open_AnyBitChanged_DoesNotOpen()
    {
        byte[] closed = s_seal.Close(Owner, s_text);
        for (int bit = 8; bit < closed.Length * 8; bit++)
        {
            byte[] changed = [.. closed];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.ThrowsAny<CryptographicException>(() => s_seal.Open(Owner, changed));
        }
    }
}
