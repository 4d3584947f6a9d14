using Ballast.Ledger;

namespace Ballast.Tests.Ledger;

public class TokenRingTests
{
    [Fact]
    public void Read_ShortRun_HasASlotForEachStepSinceTheStart()
    {
        TokenRing ring = new();
        ring.Add(0, 5);
        ring.Add(1, 7);
        ring.Add(4, 11);

        Assert.Equal([12, 0, 11, 0], ring.Read(7));
    }

    [Fact]
    public void Read_LongRun_KeepsTheNewestAndForgetsTheRest()
    {
        TokenRing ring = new();
        int seconds = TokenRing.SlotsMax * TokenRing.StepSeconds * 3;
        for (int second = 0; second < seconds; second++)
        {
            ring.Add(second, second);
        }

        long[] slots = ring.Read(seconds - 1);

        Assert.Equal(TokenRing.SlotsMax, slots.Length);
        Assert.Equal([(seconds * 2) - 7, (seconds * 2) - 3], slots[^2..]);
        Assert.Equal(new long[TokenRing.SlotsMax], ring.Read(seconds * 2));
    }

    [Fact]
    public void Add_LateRow_CountsWhereItBelongs()
    {
        TokenRing ring = new();
        ring.Add(10, 1);
        ring.Add(3, 2);

        Assert.Equal([0, 2, 0, 0, 0, 1], ring.Read(10));
    }
}
