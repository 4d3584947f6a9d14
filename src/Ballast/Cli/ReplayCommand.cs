using System.CommandLine;
using System.Text.Json;
using Ballast.Cli.Replay;
using Ballast.Sandbox;

namespace Ballast.Cli;

/// <summary>
/// <c>ballast replay</c>: holds the protocols against what real providers really sent. Exit code 0 if nothing failed, 1 if something did, 2 if it could not start.
/// </summary>
public static class ReplayCommand
{
    private const int FailuresShown = 20;

    private static readonly Argument<string?> Folder = new("folder")
    {
        Description = $"Holds {RecordedFolder.IndexFile} and the files it names. Default: the folder that {RecordedFolder.Variable} names, else shared/wire beside the checkout.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private static readonly Option<bool> Json = new("--json") { Description = "One line of JSON on standard output; everything else goes to standard error." };
    private static readonly Option<string?> Filter = new("--filter") { Description = "Only the exchanges of this provider, or those whose id begins so." };
    private static readonly Option<string?> Only = new("--only") { Description = "Only callers of the recorded protocol (same), or of the other one (cross)." };
    private static readonly Option<string?> Keep = new("--keep") { Description = "Write the translated answers into this folder." };
    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Name every exchange, with its declared losses and all of its failures." };

    public static Command Create()
    {
        Command command = new("replay",
            """
            Hold the protocols against what real providers really sent.

            Every recorded exchange goes through the gateway on loopback, to a platform that plays the recorded answer, twice:
              same   the caller speaks the recorded protocol: every byte of request and answer must arrive as it was
              cross  the caller speaks the other protocol: whatever vanishes, of request or answer, must be named in the
                     attempt's loss record and in docs/compatibility.md, pointer for pointer; what the caller gets must
                     keep to its protocol

            Each exchange is counted once: passed, declared loss, response only (the request was not recorded), opaque (an
            interface that is not translated, see docs/replay.md) or failed.

            Exit code: 0 nothing failed, 1 something did, 2 there are no recordings.

            Examples:
              ballast replay ../shared/wire
              ballast replay --filter mistral --verbose
              ballast replay --json | jq .failed
            """)
        {
            Folder, Json, Filter, Only, Keep, Verbose,
        };
        Only.AcceptOnlyFromAmong("same", "cross");
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        TextWriter error = parsed.InvocationConfiguration.Error;
        string? named = parsed.GetValue(Folder);
        if (RecordedFolder.Find(named) is not { } folder)
        {
            error.WriteLine(named is null
                ? $"error: there are no recordings: name their folder, or set {RecordedFolder.Variable}."
                : $"error: there is no {RecordedFolder.IndexFile} in '{named}'.");
            return CommandLine.UsageError;
        }

        bool verbose = parsed.GetValue(Verbose);
        string? only = parsed.GetValue(Only);
        ReplayRequest request = new(folder)
        {
            Filter = parsed.GetValue(Filter),
            Same = only != "cross",
            Cross = only != "same",
            KeepFolder = parsed.GetValue(Keep),
        };
        using StopSignal stop = new();
        try
        {
            ReplayTally tally = await new ReplayRun(request).RunAsync(verbose ? result => Describe(result, error) : null, stop.Token).ConfigureAwait(false);
            Report(tally, parsed.GetValue(Json), verbose, output, error);
            return tally.All.Of(ReplayVerdict.Failed) == 0 ? 0 : 1;
        }
        catch (Exception fault) when (fault is IOException or JsonException or UnauthorizedAccessException)
        {
            error.WriteLine($"error: {fault.Message}");
            return CommandLine.UsageError;
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return CommandLine.UsageError;
        }
    }

    private static void Report(ReplayTally tally, bool json, bool verbose, TextWriter output, TextWriter error)
    {
        if (json)
        {
            output.WriteLine(tally.ToJson());
        }
        else
        {
            tally.ToTable().WriteTerminal(output);
        }

        if (verbose)
        {
            return;
        }

        foreach (ReplayResult result in tally.Failed.Take(FailuresShown))
        {
            Describe(result, error);
        }

        if (tally.Failed.Count > FailuresShown)
        {
            error.WriteLine($"… and {tally.Failed.Count - FailuresShown} more: --verbose names all.");
        }
    }

    private static void Describe(ReplayResult result, TextWriter error)
    {
        error.WriteLine($"{result.Id}: {Word(result.Verdict)}");
        foreach (ReplayFailure failure in result.Failures)
        {
            error.WriteLine($"  failed    {failure.Where}: {(failure.Pointer.Length == 0 ? "" : failure.Pointer + ": ")}{failure.What}");
        }

        foreach (ReplayFailure loss in result.Losses)
        {
            error.WriteLine($"  declared  {loss.Where}: {loss.Pointer}");
        }
    }

    private static string Word(ReplayVerdict verdict) => verdict switch
    {
        ReplayVerdict.DeclaredLoss => "declared loss",
        ReplayVerdict.ResponseOnly => "response only",
        _ => verdict.ToString().ToLowerInvariant(),
    };
}
