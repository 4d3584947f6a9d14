namespace Ballast.Configuration;

/// <summary>Reads <c>limits:</c>; each limit has a range of its own, so that none can be switched off by mistake.</summary>
internal static class LimitsReader
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    public static LimitsOptions Read(SectionReader? section)
    {
        LimitsOptions limits = new();
        if (section is null)
        {
            return limits;
        }

        limits = ReadTimes(section, limits) with
        {
            RequestBodyBytesMax = section.Size("request_body_max", KiB, 1024 * MiB) ?? limits.RequestBodyBytesMax,
            ResponseBodyBytesMax = section.Size("response_body_max", KiB, 1024 * MiB) ?? limits.ResponseBodyBytesMax,
            ErrorBodyBytesMax = section.Size("error_body_max", KiB, 16 * MiB) ?? limits.ErrorBodyBytesMax,
            HeldBytesMax = section.Size("held_max", KiB, 64 * MiB) ?? limits.HeldBytesMax,
            ConcurrentRequestsMax = section.Whole("concurrent_requests_max", 1, 1_000_000) ?? limits.ConcurrentRequestsMax,
            AttemptsMax = section.Whole("attempts_max", 1, 3) ?? limits.AttemptsMax,
            RetryShareMax = (double)(section.Number("retry_share_max", 0, 0.2m) ?? (decimal)limits.RetryShareMax),
            RetryFloor = section.Whole("retry_floor", 0, 10_000) ?? limits.RetryFloor,
            BreakerFailures = section.Whole("breaker_failures", 1, 1000) ?? limits.BreakerFailures,
            WaitingRequestsMax = section.Whole("waiting_requests_max", 0, 1_000_000) ?? limits.WaitingRequestsMax,
            HandlesPerAppMax = section.Whole("handles_per_app_max", 1, 1_000_000) ?? limits.HandlesPerAppMax,
            IdempotencyKeysMax = section.Whole("idempotency_keys_max", 1, 1_000_000) ?? limits.IdempotencyKeysMax,
            IdempotencyAnswerBytesMax = section.Size("idempotency_answer_max", KiB, 64 * MiB) ?? limits.IdempotencyAnswerBytesMax,
            IdempotencyBytesMax = section.Size("idempotency_store_max", MiB, 1024 * MiB) ?? limits.IdempotencyBytesMax,
            FailedKeysPerMinute = section.Whole("failed_keys_per_minute", 1, 1_000_000) ?? limits.FailedKeysPerMinute,
        };
        section.End();
        return limits;
    }

    private static LimitsOptions ReadTimes(SectionReader section, LimitsOptions limits)
    {
        TimeSpan tick = TimeSpan.FromMilliseconds(10);
        TimeSpan hour = TimeSpan.FromHours(1);
        return limits with
        {
            ConnectTimeout = section.Duration("connect_timeout", tick, TimeSpan.FromMinutes(1)) ?? limits.ConnectTimeout,
            CredentialTimeout = section.Duration("credential_timeout", tick, TimeSpan.FromMinutes(1)) ?? limits.CredentialTimeout,
            FirstTokenTimeout = section.Duration("first_token_timeout", tick, hour) ?? limits.FirstTokenTimeout,
            IdleTimeout = section.Duration("idle_timeout", tick, hour) ?? limits.IdleTimeout,
            TotalTimeout = section.Duration("total_timeout", tick, TimeSpan.FromHours(24)) ?? limits.TotalTimeout,
            BackgroundWait = section.Duration("background_wait", tick, hour) ?? limits.BackgroundWait,
            HoldGrace = section.Duration("hold_grace", tick, TimeSpan.FromMinutes(5)) ?? limits.HoldGrace,
            BreakerOpen = section.Duration("breaker_open", tick, hour) ?? limits.BreakerOpen,
            RampUp = section.Duration("ramp_up", TimeSpan.Zero, hour) ?? limits.RampUp,
            QuotaWait = section.Duration("quota_wait", TimeSpan.Zero, TimeSpan.FromMinutes(2)) ?? limits.QuotaWait,
            CoolDownMax = section.Duration("cool_down_max", TimeSpan.Zero, hour) ?? limits.CoolDownMax,
            LeaseWait = section.Duration("lease_wait", TimeSpan.Zero, TimeSpan.FromSeconds(30)) ?? limits.LeaseWait,
            DrainTimeout = section.Duration("drain_timeout", TimeSpan.Zero, hour) ?? limits.DrainTimeout,
        };
    }
}
