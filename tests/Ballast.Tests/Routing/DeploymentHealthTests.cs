using Ballast.Configuration;
using Ballast.Routing;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Routing;

public class DeploymentHealthTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LimitsOptions _limits = new() { BreakerFailures = 3, BreakerOpen = TimeSpan.FromSeconds(10), RampUp = TimeSpan.FromSeconds(60) };
    private readonly DeploymentHealth _health;

    public DeploymentHealthTests() => _health = new DeploymentHealth(_time);

    [Fact]
    public void Check_FewerFailuresThanTheLimit_StaysReady()
    {
        Fail(2);

        Assert.Equal(Availability.Ready, Check());
    }

    [Fact]
    public void Check_FailuresInRow_Rests()
    {
        Fail(3);

        Assert.Equal(Availability.Resting, _health.Check(_limits, out TimeSpan readyIn, out _));
        Assert.Equal(TimeSpan.FromSeconds(10), readyIn);
    }

    [Fact]
    public void Check_SuccessBetweenFailures_StaysReady()
    {
        Fail(2);
        _health.ReportSuccess();
        Fail(2);

        Assert.Equal(Availability.Ready, Check());
    }

    [Fact]
    public void TryBeginProbe_HalfOpen_GoesToExactlyOne()
    {
        Fail(3);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(Availability.Probe, Check());
        Assert.True(_health.TryBeginProbe(_limits));
        Assert.False(_health.TryBeginProbe(_limits));
        Assert.Equal(Availability.Resting, Check());
    }

    [Fact]
    public void ReportFailure_OfTheProbe_OpensAgainForTheWholeTime()
    {
        Fail(3);
        _time.Advance(TimeSpan.FromSeconds(10));
        _health.TryBeginProbe(_limits);
        _health.ReportFailure(_limits);

        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(Availability.Resting, Check());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(Availability.Probe, Check());
    }

    [Fact]
    public void ReportNothing_OfTheProbe_LetsAnotherProbe()
    {
        Fail(3);
        _time.Advance(TimeSpan.FromSeconds(10));
        _health.TryBeginProbe(_limits);
        _health.ReportNothing();

        Assert.True(_health.TryBeginProbe(_limits));
    }

    [Fact]
    public void Check_AfterRecovery_RampsMonotonicallyFromTenPercent()
    {
        Fail(3);
        _time.Advance(TimeSpan.FromSeconds(10));
        _health.TryBeginProbe(_limits);
        _health.ReportSuccess();

        double before = 0;
        for (int second = 0; second < 60; second += 5)
        {
            Assert.Equal(Availability.Ramping, _health.Check(_limits, out _, out double share));
            Assert.True(share > before);
            Assert.Equal(0.1 + (0.9 * second / 60), share, precision: 6);
            before = share;
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(Availability.Ready, Check());
    }

    /// <summary>A long absence is followed by a slow return, a short one by a quick one.</summary>
    [Theory]
    [InlineData(20, 60)]
    [InlineData(300, 300)]
    [InlineData(36_000, 1_080)]
    public void Check_AfterRecovery_TakesAsLongAsTheAbsenceWithinLimits(int awaySeconds, int rampSeconds)
    {
        LimitsOptions limits = new() { BreakerFailures = 3 };
        Fail(3);
        for (int probe = 0; probe < 4; probe++)
        {
            _time.Advance(TimeSpan.FromSeconds(awaySeconds / 5.0));
            _health.TryBeginProbe(limits);
            _health.ReportFailure(limits);
        }

        _time.Advance(TimeSpan.FromSeconds(awaySeconds / 5.0));
        _health.ReportSuccess();
        _time.Advance(TimeSpan.FromSeconds(rampSeconds / 2.0));
        Assert.Equal(Availability.Ramping, _health.Check(limits, out _, out double half));
        Assert.Equal(0.55, half, precision: 2);
        _time.Advance(TimeSpan.FromSeconds(rampSeconds / 2.0));

        Assert.Equal(Availability.Ready, _health.Check(limits, out _, out _));
    }

    [Fact]
    public void Rest_ForATime_RestsUntilThenAndNoLongerThanTheCap()
    {
        _health.Rest(TimeSpan.FromHours(5), _limits);

        Assert.Equal(Availability.Resting, _health.Check(_limits, out TimeSpan readyIn, out _));
        Assert.Equal(_limits.CoolDownMax, readyIn);
        _time.Advance(_limits.CoolDownMax);
        Assert.Equal(Availability.Ready, Check());
    }

    [Fact]
    public void IsProven_SuccessOlderThanTheProof_IsNot()
    {
        Assert.False(_health.IsProven);
        _health.ReportSuccess();
        Assert.True(_health.IsProven);
        _time.Advance(DeploymentHealth.ProofAge);
        Assert.False(_health.IsProven);
    }

    private Availability Check() => _health.Check(_limits, out _, out _);

    private void Fail(int times)
    {
        for (int time = 0; time < times; time++)
        {
            _health.ReportFailure(_limits);
        }
    }
}
