using Ballast.Tenancy;

namespace Ballast.Tests.Tenancy;

public class KeyTextTests
{
    [Fact]
    public void MakeKey_Always_IsSoundAndNeverTheSame()
    {
        string[] keys = [.. Enumerable.Range(0, 1000).Select(static _ => KeyText.MakeKey())];

        Assert.All(keys, static key => Assert.True(KeyText.IsKey(key) && !KeyText.IsToken(key) && key.Length == KeyText.KeyLength));
        Assert.Equal(1000, keys.Distinct().Count());
        Assert.Equal(48, keys[0].Length - "blst_".Length - 8); // 192 bits
        Assert.True(KeyText.IsToken(KeyText.MakeToken()));
    }

    /// <summary>Every single digit mistyped, and every pair of neighbours swapped.</summary>
    [Fact]
    public void IsKey_Mistyped_IsRefused()
    {
        string key = KeyText.MakeKey();
        for (int i = "blst_".Length; i < key.Length; i++)
        {
            foreach (char digit in "0123456789abcdefABCDEF".Where(digit => digit != key[i]))
            {
                Assert.False(KeyText.IsKey(key[..i] + digit + key[(i + 1)..]));
            }

            if (i + 1 < key.Length && key[i] != key[i + 1])
            {
                Assert.False(KeyText.IsKey(key[..i] + key[i + 1] + key[i] + key[(i + 2)..]));
            }
        }

        Assert.False(KeyText.IsKey(""));
        Assert.False(KeyText.IsKey(key + "0"));
        Assert.False(KeyText.IsKey("blsu_" + key[5..]));
    }
}
