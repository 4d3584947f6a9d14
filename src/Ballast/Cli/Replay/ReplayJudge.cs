using System.Text;
using Ballast.Sandbox;

namespace Ballast.Cli.Replay;

/// <summary>Judges what went through the gateway: with the sandbox's own eyes, the ledger's loss records and the compatibility page, and nothing of the protocols' code.</summary>
internal sealed class ReplayJudge(CompatibilityPage page, IReadOnlyDictionary<string, IReadOnlyList<string>> losses)
{
    private const string BetaHeader = "anthropic-beta";

    public ReplayResult Judge(ReplayPassage passage)
    {
        List<ReplayFailure> failures = [];
        List<ReplayFailure> declared = [];
        if (passage.Same is { } same)
        {
            JudgeSame(passage, same, failures);
        }

        if (passage.Outward is { } outward)
        {
            JudgeCross(passage, outward, failures, declared);
        }

        ReplayVerdict verdict = failures.Count > 0 ? ReplayVerdict.Failed
            : passage.IsResponseOnly ? ReplayVerdict.ResponseOnly
            : declared.Count > 0 ? ReplayVerdict.DeclaredLoss
            : ReplayVerdict.Passed;
        RecordedExchange exchange = passage.Exchange;
        return new ReplayResult(exchange.Id, exchange.Provider, exchange.Api, verdict) { Failures = failures, Losses = declared };
    }

    /// <summary>The section of the compatibility page for what is read in the protocol of <paramref name="fromApi"/>.</summary>
    public static string Section(string fromApi, bool inAnswer) =>
        (inAnswer ? "Answers: " : "Requests: ") + (fromApi == WireApi.Messages ? "Messages to Chat Completions" : "Chat Completions to Messages");

    private static void JudgeSame(ReplayPassage passage, ReplayedCall call, List<ReplayFailure> failures)
    {
        RecordedExchange exchange = passage.Exchange;
        if (call.Arrived is not { } arrived)
        {
            JudgeRefusal(exchange, exchange.Api, call, "same request", failures);
            return;
        }

        Add(failures, "same request", RequestSplice.Compare(exchange.Api, passage.Request, arrived.Body, passage.Model));
        if (exchange.Api == WireApi.Messages && exchange.RequestHeader(BetaHeader) is { } beta && arrived.Header(BetaHeader) != beta)
        {
            failures.Add(new ReplayFailure("same request", "", $"header {BetaHeader}: {beta} became {arrived.Header(BetaHeader) ?? "nothing"}"));
        }

        RecordedEnd end = EndOf(exchange);
        if (exchange.Status >= 400 || end != RecordedEnd.Complete)
        {
            // In a stream the vendor's own error ends it: its bytes stay, what follows does not.
            bool isAsItWas = call.Status == exchange.Status && (call.Body.AsSpan().SequenceEqual(exchange.Answer.Span)
                || (end == RecordedEnd.Error && exchange.IsEventStream && exchange.Answer.Span.StartsWith(call.Body) && AnswerCrossing.EndOf(exchange.Api, true, call.Body) == end));
            if (!isAsItWas)
            {
                JudgeError(exchange, exchange.Api, RecordedRequest.IsStream(passage.Request), call, "same answer", failures);
            }

            return;
        }

        if (call.Status != 200)
        {
            failures.Add(new ReplayFailure("same answer", "", $"status {exchange.Status} became {call.Status}: {Shorten(call.Body)}"));
            return;
        }

        bool usageAsked = RecordedRequest.AsksForUsage(exchange.Api, passage.Request);
        Add(failures, "same answer", AnswerBytes.Compare(exchange.Api, exchange.IsEventStream, exchange.Answer, call.Body, usageAsked));
    }

    private void JudgeCross(ReplayPassage passage, ReplayedCall outward, List<ReplayFailure> failures, List<ReplayFailure> declared)
    {
        RecordedExchange exchange = passage.Exchange;
        string other = WireApi.Other(exchange.Api);
        if (outward.Arrived is not { } translated)
        {
            JudgeRefusal(exchange, exchange.Api, outward, "cross request", failures);
            return;
        }

        Settle($"request to {other}", exchange.Api, inAnswer: false, RequestCrossing.Compare(exchange.Api, passage.Request, translated.Body), outward, failures, declared);
        ReplayedCall back = passage.Back!;
        if (back.Arrived is not { } arrived)
        {
            JudgeRefusal(exchange, other, back, $"request back to {exchange.Api}", failures);
            return;
        }

        Settle($"request back to {exchange.Api}", other, inAnswer: false, RequestCrossing.Compare(other, passage.OtherRequest, arrived.Body), back, failures, declared);
        if (exchange.Status >= 400 || EndOf(exchange) != RecordedEnd.Complete)
        {
            JudgeError(exchange, other, RecordedRequest.IsStream(passage.OtherRequest), back, $"answer to {other}", failures);
            return;
        }

        if (back.Status != 200)
        {
            failures.Add(new ReplayFailure($"answer to {other}", "", $"status {exchange.Status} became {back.Status}: {Shorten(back.Body)}"));
            return;
        }

        bool usageAsked = RecordedRequest.AsksForUsage(other, passage.OtherRequest);
        Add(failures, $"form of the answer to {other}", AnswerForm.Faults(other, exchange.IsEventStream, back.Body));
        Settle($"answer to {other}", exchange.Api, inAnswer: true, AnswerCrossing.Compare(exchange.Api, exchange.IsEventStream, exchange.Answer, back.Body, usageAsked), back, failures, declared);
    }

    /// <summary>A difference is a declared loss only where its exact pointer is in the loss record and on the page; what vanished whole may be named as a whole.</summary>
    private void Settle(
        string where, string fromApi, bool inAnswer, IReadOnlyList<WireDifference> differences, ReplayedCall call, List<ReplayFailure> failures, List<ReplayFailure> declared)
    {
        IReadOnlyList<string> record = losses.GetValueOrDefault(call.ExchangeId) ?? [];
        string section = Section(fromApi, inAnswer);
        foreach (WireDifference difference in differences)
        {
            string[] names = [difference.Pointer, .. difference.VanishedWhole];
            string? found = names.FirstOrDefault(name => record.Contains(inAnswer ? $"response:{name}" : name, StringComparer.Ordinal));
            if (found is null)
            {
                failures.Add(new ReplayFailure(where, difference.Pointer, difference.What));
            }
            else if (!page.Holds(section, found))
            {
                failures.Add(new ReplayFailure(where, found, $"{difference.What}; declared, but not in docs/compatibility.md under '{section}'"));
            }
            else
            {
                declared.Add(new ReplayFailure(where, found, difference.What));
            }
        }
    }

    /// <summary>The gateway may refuse what the platform itself refused, in a well-formed error.</summary>
    private static void JudgeRefusal(RecordedExchange exchange, string api, ReplayedCall call, string where, List<ReplayFailure> failures)
    {
        if (exchange.Status < 400)
        {
            failures.Add(new ReplayFailure(where, "", $"refused with status {call.Status}: {Shorten(call.Body)}"));
        }

        Add(failures, where, AnswerForm.ErrorFaults(api, call.Body));
    }

    private static void JudgeError(RecordedExchange exchange, string api, bool isStream, ReplayedCall call, string where, List<ReplayFailure> failures)
    {
        if (call.Status < 400)
        {
            // It was committed before it failed: then the stream must end with an error, a whole answer cannot.
            Add(failures, where, isStream ? AnswerForm.CutStreamFaults(api, call.Body) : [new WireDifference("", $"an error became status {call.Status}: {Shorten(call.Body)}")]);
            return;
        }

        Add(failures, where, AnswerForm.ErrorFaults(api, call.Body));
        if (!RecordedStatus.IsFair(exchange.Status, call.Status, api))
        {
            failures.Add(new ReplayFailure(where, "", $"status {exchange.Status} became {call.Status}: {Shorten(call.Body)}"));
        }
    }

    private static RecordedEnd EndOf(RecordedExchange exchange) => AnswerCrossing.EndOf(exchange.Api, exchange.IsEventStream, exchange.Answer);

    private static void Add(List<ReplayFailure> failures, string where, IReadOnlyList<WireDifference> differences) =>
        failures.AddRange(differences.Select(difference => new ReplayFailure(where, difference.Pointer, difference.What)));

    private static string Shorten(ReadOnlySpan<byte> body) => Encoding.UTF8.GetString(body[..Math.Min(body.Length, 300)]);
}
