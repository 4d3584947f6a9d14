using Ballast.Configuration;
using Ballast.Routing;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing;

public class RetryBudgetTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LimitsOptions _limits = new() { RetryFloor = 10, RetryShareMax = 0.2 };

    [Fact]
    public void TryTake_ManyRequests_GivesTwentyPercentBeyondTheFloor()
    {
        RetryBudget budget = new(_time);
        for (int request = 0; request < 1000; request++)
        {
            budget.CountRequest();
        }

        Assert.Equal(210, Enumerable.Range(0, 1000).Count(_ => budget.TryTake(_limits)));
    }

    [Fact]
    public void TryTake_AfterTheWindow_ForgetsWhatWasTaken()
    {
        RetryBudget budget = new(_time);
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => budget.TryTake(_limits)));

        _time.Advance(TimeSpan.FromSeconds(RetryBudget.WindowSeconds));

        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => budget.TryTake(_limits)));
    }

    [Fact]
    public void TryTake_ClientsRetryThemselves_LeavesLess()
    {
        RetryBudget budget = new(_time);
        for (int retry = 0; retry < 4; retry++)
        {
            budget.CountClientRetry();
        }

        Assert.Equal(6, Enumerable.Range(0, 100).Count(_ => budget.TryTake(_limits)));
    }
}
