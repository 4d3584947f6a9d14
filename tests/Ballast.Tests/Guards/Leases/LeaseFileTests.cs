using Ballast.Guards.Leases;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Guards.Leases;

public sealed class LeaseFileTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(s_now);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_Again_HasItsNameAndWhatWasWritten()
    {
        string name;
        using (LeaseFile file = Open())
        {
            name = file.Gateway;
            file.Open("a", s_now.AddDays(1))!.Write(new LeaseRecord(1.5m, 0.25m, 4m));
            file.Open("a", s_now.AddDays(1))!.Write(new LeaseRecord(2.5m, 0m, 4m));
            file.Open("b", s_now.AddDays(1))!.Write(new LeaseRecord(decimal.MaxValue, 0.000_000_000_001m, decimal.MaxValue));
        }

        using LeaseFile again = Open();
        Assert.Equal(name, again.Gateway);
        Assert.Equal(new LeaseRecord(2.5m, 0m, 4m), again.Find("a")!.Read());
        Assert.Equal(new LeaseRecord(decimal.MaxValue, 0.000_000_000_001m, decimal.MaxValue), again.Find("b")!.Read());
        Assert.Null(again.Find("c"));
    }

    [Fact]
    public void Open_OtherFile_HasAnotherName()
    {
        using LeaseFile one = Open();
        using LeaseFile other = LeaseFile.Open(_folder.File("other.leases"), 1, _time);
        Assert.NotEqual(one.Gateway, other.Gateway);
        Assert.Equal(32, one.Gateway.Length);
    }

    [Fact]
    public void Open_OtherDatabase_ForgetsTheParts()
    {
        using (LeaseFile file = Open())
        {
            file.Open("a", s_now.AddDays(1))!.Write(new LeaseRecord(1, 1, 4));
        }

        using LeaseFile again = LeaseFile.Open(_folder.File("gateway.leases"), 2, _time);
        Assert.Null(again.Find("a"));
    }

    [Fact]
    public void Open_LongAfterThePeriod_ForgetsIt()
    {
        using (LeaseFile file = Open())
        {
            file.Open("a", s_now.AddDays(1))!.Write(new LeaseRecord(1, 1, 4));
            file.Open("b", s_now.AddDays(30))!.Write(new LeaseRecord(1, 1, 4));
        }

        _time.Advance(TimeSpan.FromDays(10));
        using LeaseFile again = Open();
        Assert.Null(again.Find("a"));
        Assert.NotNull(again.Find("b"));
    }

    /// <summary>A budget that is made anew takes over what the one before knew; who runs on with the old one changes nothing any more.</summary>
    [Fact]
    public void Find_PlaceThatIsInUse_IsTakenOver()
    {
        using LeaseFile file = Open();
        LeaseSlot old = file.Open("a", s_now.AddDays(1))!;
        old.Write(new LeaseRecord(1, 1, 4));
        LeaseSlot taken = file.Find("a")!;
        Assert.Equal(new LeaseRecord(1, 1, 4), taken.Read());
        taken.Write(new LeaseRecord(2, 0, 4));
        old.Write(new LeaseRecord(9, 9, 9));

        Assert.Equal(new LeaseRecord(2, 0, 4), taken.Read());
    }

    [Fact]
    public void Write_Warm_AllocatesNothing()
    {
        using LeaseFile file = Open();
        LeaseSlot slot = file.Open("a", s_now.AddDays(1))!;
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                slot.Write(new LeaseRecord(i, i, i));
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private LeaseFile Open() => LeaseFile.Open(_folder.File("gateway.leases"), 1, _time);
}
