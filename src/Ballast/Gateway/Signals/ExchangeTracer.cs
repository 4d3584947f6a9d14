using System.Diagnostics;
using System.Globalization;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Telemetry;
using Ballast.Transport;

namespace Ballast.Gateway.Signals;

/// <summary>
/// One server span for each request and one client span for each attempt, by OpenTelemetry's conventions for generative AI. The trace of a request that brings none has
/// the digits of the request's own id, so that the id a caller quotes finds it.
/// </summary>
/// <param name="source">Null where nothing is traced: then nothing here costs anything.</param>
public sealed class ExchangeTracer(SpanSource? source)
{
    /// <summary>Longest <c>tracestate</c> passed on, in characters, as W3C asks for at least.</summary>
    private const int StateCharactersMax = 512;

    /// <summary>A version 7 UUID ends in 62 random bits; sampling looks at the last 56, as W3C's random trace ids have them.</summary>
    private const int RandomDigits = 14;

    private const int ErrorStatusMin = 500;

    /// <summary>Decides whether a request is traced, once its key is known or it is refused without one.</summary>
    public void Begin(Exchange exchange, HttpCall http)
    {
        if (source is null || exchange.Trace is not null)
        {
            return;
        }

        TelemetryOptions options = exchange.Catalog.Telemetry;
        ActivityContext parent = default;
        string? told = null, state = null;
        if (exchange.Key is { } key && TelemetryOptions.Names(options.TrustedCallers, key.App))
        {
            told = http.Header("traceparent");
            state = http.Header("tracestate") is { Length: > 0 and <= StateCharactersMax } text && Upstream.HeaderWriter.IsSafe(text) ? text : null;
            if (told is null || !ActivityContext.TryParse(told, state, isRemote: true, out parent))
            {
                told = state = null;
            }
        }

        bool isTraced = told is not null ? (parent.TraceFlags & ActivityTraceFlags.Recorded) != 0 : IsSampled(exchange.Id, options.Sample);
        string name = GenAIPlaces.OperationOf(exchange.Operation);
        DateTimeOffset at = exchange.Time.GetUtcNow() - exchange.Time.GetElapsedTime(exchange.StartedTimestamp);
        Activity? span = !isTraced ? null
            : told is not null ? source.Start(name, ActivityKind.Server, parent, at)
            : source.StartRoot(name, ActivityTraceId.CreateFromString(exchange.Id.AsSpan("req_".Length)), at);
        exchange.Trace = new ExchangeTrace(source)
        {
            Span = span,
            CallersParent = told,
            State = state,
            TellsProviders = options.TellsProviders,
            ContentBytesMax = span is not null && exchange.Protocol.Family == ProtocolFamily.Chat && exchange.Key is { } owner
                && TelemetryOptions.Names(options.Content, owner.App) ? options.ContentBytesMax : 0,
        };
        span?.SetTag("http.request.method", http.Method);
    }

    /// <summary>Ends the spans of a request and its attempts; what was set aside for them goes to the collector.</summary>
    /// <param name="exchange">Settled.</param>
    /// <param name="http">Its call.</param>
    /// <param name="errorCode">Why it was refused; null where it was not.</param>
    public static void End(Exchange exchange, HttpCall http, string? errorCode)
    {
        if (exchange.Trace?.Span is not { } span)
        {
            return;
        }

        string operation = GenAIPlaces.OperationOf(exchange.Operation);
        foreach (Attempt attempt in exchange.Attempts)
        {
            EndAttempt(exchange, attempt, operation);
        }

        Attempt? last = exchange.Attempts.Count > 0 ? exchange.Attempts[^1] : null;
        string? model = exchange.Model?.Name;
        span.DisplayName = model is null ? operation : $"{operation} {model}";
        span.SetTag("gen_ai.operation.name", operation);
        span.SetTag("gen_ai.request.model", model);
        span.SetTag("http.response.status_code", http.Status);
        span.SetTag("ballast.request.id", exchange.Id);
        span.SetTag("ballast.protocol", exchange.Protocol.Name);
        span.SetTag("ballast.app", exchange.Key?.App);
        span.SetTag("ballast.key.id", exchange.Key?.Id);
        span.SetTag("ballast.team", exchange.Key?.Team);
        span.SetTag("ballast.attempts", exchange.Attempts.Count);
        if (last is not null)
        {
            SetAnswer(span, last);
            errorCode ??= last.Result == AttemptResult.Completed ? null : last.Reason;
        }

        if (errorCode is not null)
        {
            span.SetTag("error.type", errorCode);
        }

        if (http.Status >= ErrorStatusMin || last is { Result: AttemptResult.Interrupted })
        {
            span.SetStatus(ActivityStatusCode.Error);
        }

        End(span, exchange.Time.GetElapsedTime(exchange.StartedTimestamp));
    }

    private static void EndAttempt(Exchange exchange, Attempt attempt, string operation)
    {
        if (attempt.Trace?.Span is not { } span)
        {
            return;
        }

        GenAIPlace place = GenAIPlaces.Of(attempt.Deployment);
        span.DisplayName = $"{operation} {place.Model}";
        span.SetTag("gen_ai.operation.name", operation);
        span.SetTag("gen_ai.provider.name", place.Provider);
        span.SetTag("gen_ai.request.model", place.Model);
        span.SetTag("server.address", place.Address);
        span.SetTag("server.port", place.Port);
        span.SetTag("ballast.attempt.id", attempt.Id);
        span.SetTag("ballast.deployment", attempt.Deployment.Name);
        span.SetTag("ballast.region", attempt.Deployment.Region);
        span.SetTag("http.response.status_code", attempt.UpstreamStatus);
        if (exchange.Envelope is { } envelope)
        {
            span.SetTag("gen_ai.request.max_tokens", envelope.MaxOutputTokens);
            span.SetTag("gen_ai.request.stream", envelope.Stream ? true : null);
            span.SetTag("gen_ai.request.choice.count", envelope.ChoiceCount > 1 ? envelope.ChoiceCount : null);
        }

        SetAnswer(span, attempt);
        if (attempt.Result != AttemptResult.Completed)
        {
            span.SetTag("error.type", attempt.Reason ?? GenAIMeter.Other);
            span.SetStatus(ActivityStatusCode.Error);
        }

        if (attempt.Trace.Said is { } said)
        {
            SetContent(span, exchange, attempt, said);
        }

        End(span, attempt.Duration);
    }

    private static void SetAnswer(Activity span, Attempt attempt)
    {
        span.SetTag("gen_ai.response.model", attempt.ServedModel);
        if (attempt.Finish is { } finish)
        {
            span.SetTag("gen_ai.response.finish_reasons", new[] { finish.Value });
        }

        if (attempt.TimeToFirstToken is { } first && attempt.IsStream)
        {
            span.SetTag("ballast.time_to_first_token", first.TotalSeconds);
        }

        if (attempt.Billed is { } usage)
        {
            long cached = usage.CacheReadTokens, written = usage.CacheWriteTokens + usage.CacheWriteLongTokens;
            span.SetTag("gen_ai.usage.input_tokens", usage.InputTokens + cached + written);
            span.SetTag("gen_ai.usage.output_tokens", usage.OutputTokens);
            span.SetTag("gen_ai.usage.cache_read.input_tokens", cached > 0 ? cached : null);
            span.SetTag("gen_ai.usage.cache_creation.input_tokens", written > 0 ? written : null);
            span.SetTag("gen_ai.usage.reasoning.output_tokens", usage.ReasoningTokens);
            span.SetTag("ballast.usage.estimated", usage.IsEstimated ? true : null);
            span.SetTag("ballast.cost.usd", (double?)attempt.CostUsd);
        }
    }

    private static void SetContent(Activity span, Exchange exchange, Attempt attempt, AnswerText said)
    {
        int bytesMax = exchange.Trace!.ContentBytesMax;
        try
        {
            ChatRequest request = exchange.Request;
            span.SetTag("gen_ai.system_instructions", SpanContent.Instructions(request, bytesMax));
            span.SetTag("gen_ai.input.messages", SpanContent.Input(request, bytesMax));
        }
        catch (ProtocolException)
        {
            // The provider refused it, too.
        }

        if (said.Pieces.Count > 0)
        {
            span.SetTag("gen_ai.output.messages", SpanContent.Output(said, attempt.Finish?.Value, exchange.Screen));
        }
    }

    private static void End(Activity span, TimeSpan duration)
    {
        span.SetEndTime(span.StartTimeUtc + (duration > TimeSpan.Zero ? duration : TimeSpan.FromTicks(1)));
        span.Stop();
    }

    private static bool IsSampled(string id, double share) =>
        share >= 1 || (share > 0
            && ulong.Parse(id.AsSpan(id.Length - RandomDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) < share * (1UL << (4 * RandomDigits)));
}
