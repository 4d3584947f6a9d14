using System.CommandLine;
using System.Globalization;
using Ballast.Balance;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Configuration.Policies;
using Ballast.Ledger;
using Ballast.Routing.Shares;

namespace Ballast.Cli;

/// <summary><c>ballast policy</c>: check a balance policy, try it on yesterday's requests, put it in force, go back.</summary>
public static class PolicyCommand
{
    private const string Window = "24h";

    public static Command Create() => new(
        "policy",
        """
        Check a balance policy, try it on the last day's requests, put it in force, go back to the one before.

        A policy is a file, usually in the folder 'policies' beside the configuration. It is in force from its activation on:
        a copy is kept in policies/active, and a running gateway takes it up within a second or two. See docs/policy.md.

        Exit code: 0 done, 1 refused or it cannot hold, 2 a wrong argument or file.

        Examples:
          ballast policy check policies/group.yaml
          ballast policy dry-run policies/group.yaml --since 7d
          ballast policy activate policies/group.yaml
        """)
    {
        Check(), DryRun(), Activate(), Rollback(), Show(),
    };

    private static Command Check()
    {
        Argument<string> file = new("FILE") { Description = "The policy." };
        Command command = new("check", "Say whether a policy can hold, why not, and what the smallest change would be. Exit code: 0 it can, 1 it cannot.") { file };
        return With(command, (request, arguments, _) =>
        {
            Proposal proposal = Read(request, arguments.GetValue(file)!);
            return Task.FromResult(Print(request, proposal) ? 0 : 1);
        });
    }

    private static Command DryRun()
    {
        Argument<string> file = new("FILE") { Description = "The policy." };
        Command command = new("dry-run", "Route the ledger's last 24 hours (or --since) anew under a policy: shares before and after, requests that would move, rules that would be suspended.") { file };
        return With(command, async (request, arguments, cancellation) =>
        {
            Proposal proposal = Read(request, arguments.GetValue(file)!);
            bool canHold = Print(request, proposal);
            await TryAsync(request, proposal, cancellation).ConfigureAwait(false);
            return canHold ? 0 : 1;
        });
    }

    private static Command Activate()
    {
        Argument<string> file = new("FILE") { Description = "The policy." };
        Option<bool> force = new("--force") { Description = "Even if the check says that it cannot hold, or its version is not newer." };
        Command command = new("activate", "Check a policy, try it on the last 24 hours, and put it in force. Exit code: 0 in force, 1 refused by the check.") { file, force };
        return With(command, async (request, arguments, cancellation) =>
        {
            bool isForced = arguments.GetValue(force);
            Proposal proposal = Read(request, arguments.GetValue(file)!);
            bool canHold = Print(request, proposal);
            PolicyFolder folder = ReportSource.FindPolicies(request);
            if (folder.Current() is { Text.Length: > 0 } current && PolicyLoader.Load(current.Text, ComponentKindName.All).Options is { } before
                && before.Name == proposal.Options.Name && before.Version >= proposal.Options.Version && !isForced)
            {
                request.Error.WriteLine($"version {before.Version} of '{before.Name}' is in force already: give this one a higher version.");
                return 1;
            }

            if (!canHold && !isForced)
            {
                return 1;
            }

            await TryAsync(request, proposal, cancellation).ConfigureAwait(false);
            PolicyActivation active = folder.Activate(proposal.Text, $"{proposal.Options.Name}-v{proposal.Options.Version}");
            request.Output.WriteLine($"In force: {proposal.Options.Name} version {proposal.Options.Version}, {active.Path}");
            return 0;
        });
    }

    private static Command Rollback()
    {
        Command command = new("rollback", "Put the policy before the present one in force again; before the first, none.");
        return With(command, (request, _, _) =>
        {
            PolicyFolder folder = ReportSource.FindPolicies(request);
            if (folder.Current() is null)
            {
                request.Error.WriteLine($"no policy was ever in force in {folder.Path}.");
                return Task.FromResult(1);
            }

            PolicyActivation? previous = folder.Previous();
            PolicyActivation active = folder.Activate(previous?.Text ?? "", "rollback");
            request.Output.WriteLine(previous is null ? $"No policy is in force any more, {active.Path}" : $"In force again: {Path.GetFileName(previous.Path)}, {active.Path}");
            return Task.FromResult(0);
        });
    }

    private static Command Show()
    {
        Command command = new("show", "The activations, the newest last, and the text in force.");
        return With(command, (request, _, _) =>
        {
            IReadOnlyList<PolicyActivation> history = ReportSource.FindPolicies(request).History();
            foreach (PolicyActivation activation in history)
            {
                request.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{activation.ActivatedAt:yyyy-MM-dd HH:mm:ss}Z  {Path.GetFileName(activation.Path)}  {activation.Digest[..12]}"));
            }

            request.Output.WriteLine(history.Count == 0 ? "No policy was ever in force." : Environment.NewLine + history[^1].Text);
            return Task.FromResult(0);
        });
    }

    private static Command With(Command command, Func<ReportRequest, ParseResult, CancellationToken, Task<int>> run)
    {
        ReportOptions options = new(command, Window);
        command.SetAction(async (arguments, cancellation) =>
        {
            int code = 0;
            int failed = await ReportRequest.RunAsync(arguments, async () => code = await run(options.Read(arguments, TimeProvider.System), arguments, cancellation).ConfigureAwait(false)).ConfigureAwait(false);
            return failed != 0 ? failed : code;
        });
        return command;
    }

    private static Proposal Read(ReportRequest request, string file)
    {
        if (!File.Exists(file))
        {
            throw new UsageException($"there is no file '{file}'.");
        }

        string text = File.ReadAllText(file);
        PolicyLoadResult loaded = PolicyLoader.Load(text, ComponentKindName.All);
        PolicyOptions options = loaded.Options ?? throw new UsageException(string.Join(Environment.NewLine, loaded.Faults.Select(fault => fault.Print(file))));
        CatalogSnapshot catalog = ReportSource.FindCatalog(request) ?? throw new UsageException("A policy is checked against a configuration: name it with --config FILE, or set the variables that `ballast serve` was started with (there is no ballast.yaml here, and no provider's variable is set).");
        try
        {
            return new Proposal(file, text, options, catalog, ReportSource.FindPolicies(request).ReadComponents(out _));
        }
        catch (FormatException fault)
        {
            throw new UsageException(fault.Message);
        }
    }

    /// <summary>Prints what the check found; false where the policy cannot hold.</summary>
    private static bool Print(ReportRequest request, Proposal proposal)
    {
        IReadOnlyList<ConfigurationFault> faults = PolicyLint.Check(proposal.Options, proposal.Catalog, proposal.Components);
        foreach (ConfigurationFault fault in faults)
        {
            request.Output.WriteLine(fault.Print(proposal.File));
        }

        bool canHold = faults.All(static fault => fault.IsWarning);
        request.Output.WriteLine($"{proposal.File}: {proposal.Options.Name} version {proposal.Options.Version} {(canHold ? "can hold" : "cannot hold")}.");
        return canHold;
    }

    private static async Task TryAsync(ReportRequest request, Proposal proposal, CancellationToken cancellation)
    {
        IReadOnlyList<ServedRequest> served;
        LedgerReader ledger = ReportSource.OpenLedger(request);
        try
        {
            served = await ledger.ServedAsync(request.Filter, PolicyDryRun.RequestsMax, cancellation).ConfigureAwait(false);
        }
        catch (LedgerException failure) when (failure.IsMissing)
        {
            request.Output.WriteLine($"Not tried on real requests: {failure.Message}");
            return;
        }

        if (served.Count == 0)
        {
            request.Output.WriteLine($"Not tried on real requests. {ReportSource.NothingFound(request, ledger.Path)}");
            return;
        }

        PolicyDryRun result = PolicyDryRun.Run(proposal.Options, proposal.Catalog, proposal.Components, served);
        ReportTable table = new($"On {result.Requests} requests from {request.PeriodText}: {result.Moved} would have gone elsewhere, {result.Refused} would have been refused");
        table.AddTextColumn("rule");
        table.AddNumberColumn("limit");
        table.AddNumberColumn("was");
        table.AddNumberColumn("would be");
        table.AddNumberColumn("suspended");
        foreach (DryRunRule rule in result.Rules)
        {
            table.AddRow([rule.Rule.Id, (rule.Rule.IsFloor ? "≥ " : "≤ ") + ReportFormat.Percent(rule.Rule.Share), ReportFormat.Percent(rule.Before), ReportFormat.Percent(rule.After), ReportFormat.Count(rule.Suspended)]);
        }

        request.Write(table);
        if (served.Count == PolicyDryRun.RequestsMax)
        {
            request.Output.WriteLine($"Only the newest {PolicyDryRun.RequestsMax} requests of this time were tried.");
        }

        if (result.Unknown > 0)
        {
            request.Output.WriteLine($"{result.Unknown} requests were left out: their model, key or deployment is no longer in the configuration.");
        }
    }

    private sealed record Proposal(string File, string Text, PolicyOptions Options, CatalogSnapshot Catalog, ComponentMap Components);
}
