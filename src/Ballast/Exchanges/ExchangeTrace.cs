using System.Diagnostics;
using Ballast.Telemetry;

namespace Ballast.Exchanges;

/// <summary>A request's place in a trace: its own span where it is traced, else what a trusted caller told, to be passed on.</summary>
public sealed class ExchangeTrace(SpanSource source)
{
    /// <summary>The gateway's span; null where this request is not traced.</summary>
    public Activity? Span { get; init; }

    /// <summary>A trusted caller's <c>traceparent</c>; null where there is none.</summary>
    public string? CallersParent { get; init; }

    /// <summary>A trusted caller's <c>tracestate</c>; goes on as it is.</summary>
    public string? State { get; init; }

    /// <summary>Providers are told the trace.</summary>
    public bool TellsProviders { get; init; }

    /// <summary>Most bytes of the prompt, and of the answer, that are written into spans; 0 writes none.</summary>
    public int ContentBytesMax { get; init; }

    /// <summary>Begins the span of one attempt.</summary>
    public AttemptTrace Begin(DateTimeOffset at, string model)
    {
        Activity? span = Span is null ? null : source.Start(model, ActivityKind.Client, Span.Context, at);
        return new AttemptTrace(span, TellsProviders ? span?.Id ?? CallersParent : null, State, span is not null && ContentBytesMax > 0 ? new AnswerText(ContentBytesMax) : null);
    }
}

/// <summary>An attempt's place in a trace.</summary>
/// <param name="Span">Null where it is not traced.</param>
/// <param name="Parent">The provider is told it as <c>traceparent</c>; null tells nothing.</param>
/// <param name="State">Likewise as <c>tracestate</c>.</param>
/// <param name="Said">Collects the answer; null where none is wanted.</param>
public sealed record AttemptTrace(Activity? Span, string? Parent, string? State, AnswerText? Said);
