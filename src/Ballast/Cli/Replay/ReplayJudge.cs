using System.Text;
using System.Text.Json;
using Ballast.Sandbox;

namespace Ballast.Cli.Replay;

/// <summary>Judges what went through the gateway: with the sandbox's own eyes, the ledger's loss records and the compatibility page, and nothing of the protocols' code.</summary>
internal sealed class ReplayJudge(CompatibilityPage page, IReadOnlyDictionary<string, IReadOnlyList<string>> losses)
{
    /// <summary>The section of the page with the fields that are refused outright.</summary>
    public const string RefusedSection = "Refused";

    private const string BetaHeader = "anthropic-beta";

    public ReplayResult Judge(ReplayPassage passage)
    {
        List<ReplayFailure> failures = [];
        List<ReplayFailure> declared = [];
        if (passage.Same is { } same)
        {
            JudgeSame(passage, same, failures, declared);
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

    /// <summary>The section of the compatibility page for what is read in one protocol and written in another.</summary>
    public static string Section(string fromApi, string toApi, bool inAnswer) =>
        $"{(inAnswer ? "Answers" : "Requests")}: {WireApi.TitleOf(fromApi)} to {(IsPair(fromApi) && IsPair(toApi) ? WireApi.TitleOf(toApi) : "the other protocols")}";

    private static bool IsPair(string api) => WireApi.FormOf(api) is WireApi.Chat or WireApi.Messages;

    private void JudgeSame(ReplayPassage passage, ReplayedCall call, List<ReplayFailure> failures, List<ReplayFailure> declared)
    {
        RecordedExchange exchange = passage.Exchange;
        if (call.Arrived is not { } arrived)
        {
            JudgeRefusal(exchange, passage.Route.Api, call, "same request", failures, declared);
            return;
        }

        Add(failures, "same request", exchange.Form.IsEmpty
            ? RequestSplice.Compare(passage.Route.Api, passage.Request, arrived, passage.Model)
            : passage.Request.AsSpan().SequenceEqual(arrived.Body) ? [] : [new WireDifference("", "the form changed")]);
        if (exchange.Api == WireApi.Messages && exchange.RequestHeader(BetaHeader) is { } beta && arrived.Header(BetaHeader) != beta)
        {
            failures.Add(new ReplayFailure("same request", "", $"header {BetaHeader}: {beta} became {arrived.Header(BetaHeader) ?? "nothing"}"));
        }

        if (call.IsEstimated && exchange.Status >= 400)
        {
            return; // A count is given even where the platform gives none.
        }

        RecordedEnd end = IsBegun(exchange) ? RecordedEnd.Complete : EndOf(exchange);
        if (exchange.Status >= 400 || end != RecordedEnd.Complete)
        {
            // In a stream the vendor's own error ends it: its bytes stay, what follows does not.
            bool isAsItWas = call.Status == exchange.Status && (call.Body.AsSpan().SequenceEqual(exchange.Answer.Span)
                || (end == RecordedEnd.Error && exchange.Framing != RecordedFraming.Whole && exchange.Answer.Span.StartsWith(call.Body) && AnswerCrossing.EndOf(exchange.Api, exchange.Framing, call.Body) == end));
            if (!isAsItWas)
            {
                JudgeError(exchange, passage.Route.Api, passage.Route.IsStream || RecordedRequest.IsStream(passage.Request) ? exchange.Framing : RecordedFraming.Whole, call, "same answer", failures);
            }

            return;
        }

        if (call.Status != 200)
        {
            failures.Add(new ReplayFailure("same answer", "", $"status {exchange.Status} became {call.Status}: {Shorten(call.Body)}"));
            return;
        }

        bool usageAsked = RecordedRequest.AsksForUsage(exchange.Api, passage.Request);
        Add(failures, "same answer", exchange.Framing == RecordedFraming.Array ? AnswerBytes.CompareItems(exchange.Answer, call.Body) : AnswerBytes.Compare(exchange.Api, exchange.Framing == RecordedFraming.Events, exchange.Answer, call.Body, usageAsked));
    }

    private void JudgeCross(ReplayPassage passage, ReplayedCall outward, List<ReplayFailure> failures, List<ReplayFailure> declared)
    {
        RecordedExchange exchange = passage.Exchange;
        string other = WireApi.Other(exchange.Api);
        if (outward.Arrived is not { } translated)
        {
            JudgeRefusal(exchange, exchange.Api, outward, "cross request", failures, declared);
            return;
        }

        Settle($"request to {other}", Section(exchange.Api, other, inAnswer: false), inAnswer: false, RequestCrossing.Compare(exchange.Api, passage.Request, other, translated.Body), outward, failures, declared);
        ReplayedCall back = passage.Back!;
        if (back.Arrived is not { } arrived)
        {
            JudgeRefusal(exchange, other, back, $"request back to {exchange.Api}", failures, declared);
            return;
        }

        Settle($"request back to {exchange.Api}", Section(other, exchange.Api, inAnswer: false), inAnswer: false, RequestCrossing.Compare(other, passage.OtherRequest, exchange.Api, arrived.Body), back, failures, declared);
        if (exchange.Status >= 400 || EndOf(exchange) != RecordedEnd.Complete)
        {
            JudgeError(exchange, other, RecordedRequest.IsStream(passage.OtherRequest) ? RecordedFraming.Events : RecordedFraming.Whole, back, $"answer to {other}", failures);
            return;
        }

        if (back.Status != 200)
        {
            failures.Add(new ReplayFailure($"answer to {other}", "", $"status {exchange.Status} became {back.Status}: {Shorten(back.Body)}"));
            return;
        }

        bool usageAsked = RecordedRequest.AsksForUsage(other, passage.OtherRequest);
        Add(failures, $"form of the answer to {other}", AnswerForm.Faults(other, exchange.Framing != RecordedFraming.Whole, back.Body));
        Settle($"answer to {other}", Section(exchange.Api, other, inAnswer: true), inAnswer: true, AnswerCrossing.Compare(exchange.Api, exchange.Framing, exchange.Answer, back.Body, usageAsked), back, failures, declared);
    }

    /// <summary>A difference is a declared loss only where its exact pointer is in the loss record and on the page; what vanished whole may be named as a whole.</summary>
    private void Settle(
        string where, string section, bool inAnswer, IReadOnlyList<WireDifference> differences, ReplayedCall call, List<ReplayFailure> failures, List<ReplayFailure> declared)
    {
        IReadOnlyList<string> record = losses.GetValueOrDefault(call.ExchangeId) ?? [];
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

    /// <summary>The gateway may refuse, in a well-formed error, what the platform itself refused, and fields of which the page says that they are refused.</summary>
    private void JudgeRefusal(RecordedExchange exchange, string api, ReplayedCall call, string where, List<ReplayFailure> failures, List<ReplayFailure> declared)
    {
        Add(failures, where, AnswerForm.ErrorFaults(api, call.Body));
        if (exchange.Status >= 400)
        {
            return;
        }

        string pointer = AnswerForm.RefusedField(call.Body) is { Length: > 0 } field ? $"/{field}" : "";
        if (page.Holds(RefusedSection, pointer))
        {
            declared.Add(new ReplayFailure(where, pointer, "refused"));
        }
        else
        {
            failures.Add(new ReplayFailure(where, "", $"refused with status {call.Status}: {Shorten(call.Body)}"));
        }
    }

    private static void JudgeError(RecordedExchange exchange, string api, RecordedFraming framing, ReplayedCall call, string where, List<ReplayFailure> failures)
    {
        if (call.Status < 400)
        {
            // It was committed before it failed: then the stream must end with an error, a whole answer cannot.
            Add(failures, where, framing != RecordedFraming.Whole ? AnswerForm.CutStreamFaults(api, framing, call.Body) : [new WireDifference("", $"an error became status {call.Status}: {Shorten(call.Body)}")]);
            return;
        }

        Add(failures, where, AnswerForm.ErrorFaults(api, call.Body));
        if (!RecordedStatus.IsFair(exchange, call.Status, api))
        {
            failures.Add(new ReplayFailure(where, "", $"status {exchange.Status} became {call.Status}: {Shorten(call.Body)}"));
        }
    }

    private static RecordedEnd EndOf(RecordedExchange exchange) =>
        WireApi.IsKnown(exchange.Api) ? AnswerCrossing.EndOf(exchange.Api, exchange.Framing, exchange.Answer) : exchange.Status < 400 ? RecordedEnd.Complete : RecordedEnd.Error;

    /// <summary>An answer in the background is told before there is one: that is all of this exchange.</summary>
    private static bool IsBegun(RecordedExchange exchange)
    {
        if (exchange.Api != WireApi.Responses || exchange.Framing != RecordedFraming.Whole || exchange.Status >= 400)
        {
            return false;
        }

        using JsonDocument document = JsonDocument.Parse(exchange.Answer);
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("status", out JsonElement status)
            && (status.ValueEquals("queued"u8) || status.ValueEquals("in_progress"u8));
    }

    private static void Add(List<ReplayFailure> failures, string where, IReadOnlyList<WireDifference> differences) =>
        failures.AddRange(differences.Select(difference => new ReplayFailure(where, difference.Pointer, difference.What)));

    private static string Shorten(ReadOnlySpan<byte> body) => Encoding.UTF8.GetString(body[..Math.Min(body.Length, 300)]);
}
