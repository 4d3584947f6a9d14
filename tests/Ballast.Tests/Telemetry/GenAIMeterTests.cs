using System.Globalization;
using Ballast.Telemetry;

namespace Ballast.Tests.Telemetry;

public sealed class GenAIMeterTests
{
    private static readonly GenAIPlace s_place = new("openai/m", "openai", "m", "127.0.0.1", 443);

    [Fact]
    public void Record_KnownSeries_AllocatesNothing()
    {
        GenAIMeter meter = new();
        long least = long.MaxValue;
        for (int round = 0; round < 20 && least != 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                meter.Record(meter.Find(s_place, "chat", null), GenAIMetric.OperationDuration, 0.3);
                meter.Record(meter.Find(s_place, "chat", "upstream_status_503"), GenAIMetric.OperationDuration, 0.3);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void Find_SeriesWithoutEnd_AreCountedTogetherBeyondTheLimit()
    {
        GenAIMeter meter = new();
        for (int i = 0; i < 3 * GenAIMeter.SeriesMax; i++)
        {
            meter.Record(meter.Find(s_place, "chat", i.ToString(CultureInfo.InvariantCulture)), GenAIMetric.RequestDuration, 1);
        }

        Assert.Equal(GenAIMeter.SeriesMax + 1, meter.Series.Count());
        GenAISeries rest = Assert.Single(meter.Series, static series => series.Operation == GenAIMeter.Other);
        Assert.Equal(2 * GenAIMeter.SeriesMax, Enumerable.Range(0, rest[GenAIMetric.RequestDuration].Bounds.Count + 1).Sum(rest[GenAIMetric.RequestDuration].CountOf));
    }

    [Fact]
    public void Record_ManyThreads_LosesNothing()
    {
        GenAIMeter meter = new();
        Thread[] threads =
        [
            .. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
            {
                for (int i = 0; i < 50_000; i++)
                {
                    meter.Record(meter.Find(s_place, "chat", null), GenAIMetric.OutputTokens, 3);
                }
            })),
        ];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());

        GenAIHistogram tokens = Assert.Single(meter.Series, static series => series.Operation == "chat")[GenAIMetric.OutputTokens];
        Assert.Equal((200_000, 600_000d), (tokens.CountOf(1), tokens.Sum));
    }

    [Fact]
    public void Add_BeyondTheQueuesRoom_IsDroppedAndCounted()
    {
        BoundedQueue<int> queue = new(2);

        Assert.Equal([1, 2, 0, 0], [queue.Add(1), queue.Add(2), queue.Add(3), queue.Add(4)]);
        Assert.Equal(2, queue.Dropped);
        Assert.True(queue.TryTake(out int first) && first == 1);
        Assert.Equal(2, queue.Add(5));
    }
}
