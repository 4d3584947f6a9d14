using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ballast.Balance.Simulation;

namespace Ballast.Cli;

/// <summary><c>ballast simulate</c>: the gateway's own router on a virtual clock beside what other gateways ship.</summary>
public static class SimulateCommand
{
    private const int RequestsMin = 1_000;
    private const int RequestsMax = 100_000_000;

    public static Command Create()
    {
        Option<int> requests = new("--requests") { HelpName = "N", Description = $"Requests, from {RequestsMin} to {RequestsMax}.", DefaultValueFactory = _ => 1_000_000 };
        Option<int> seed = new("--seed") { HelpName = "S", Description = "The same seed gives the same figures.", DefaultValueFactory = _ => 1 };
        Option<bool> json = new("--json") { Description = "Exactly one line of JSON on standard output." };
        Command command = new("simulate",
            """
            Hold shares in a simulation, beside what other gateways ship.

            The code that routes requests in the gateway, on a virtual clock, beside weighted random, smooth weighted round robin
            and sticky sessions, all with weights that meet every rule in expectation.

            Rules: at most 50 % Azure, 45 % AWS, 60 % OpenAI, at least 5 % Google. Half of the requests in steady state with 30 %
            that may not leave the European Union; three tenths after that has moved to 3 %; the rest while Azure is gone.

            worst excess   percentage points over a rule in the worst window of 10,000 requests, steady state and moved mix
            outage share   AWS's percentage of the tokens while Azure is gone
            bound          requests after which any window of any length held more than the proven bound allows
            affinity       continued requests that met their session's warm cache

            Exit code: 0 told, 2 a wrong argument.

            Example:
              ballast simulate --requests 1000000 --seed 7 --json
            """)
        {
            requests, seed, json,
        };
        command.SetAction(arguments =>
        {
            int count = arguments.GetValue(requests);
            if (count is < RequestsMin or > RequestsMax)
            {
                arguments.InvocationConfiguration.Error.WriteLine($"--requests takes a number from {RequestsMin} to {RequestsMax}.");
                return CommandLine.UsageError;
            }

            SimulationReport report = SimulationReport.Run(count, arguments.GetValue(seed), Environment.ProcessorCount);
            Write(report, arguments.GetValue(json), arguments.InvocationConfiguration.Output);
            return 0;
        });
        return command;
    }

    private static void Write(SimulationReport report, bool json, TextWriter output)
    {
        if (json)
        {
            ReportJson.WriteLine(output, writer =>
            {
                writer.WriteStartObject();
                WriteAll(writer, "routers", report.Routers);
                WriteAll(writer, "clusters", report.Clusters);
                writer.WriteEndObject();
            });
            return;
        }

        Table("One gateway", report.Routers).WriteTerminal(output);
        Table($"{SimulationReport.NodesOfACluster} gateways with share credits", report.Clusters).WriteTerminal(output);
    }

    private static ReportTable Table(string title, IReadOnlyList<SimulationResult> results)
    {
        ReportTable table = new(title);
        table.AddTextColumn("router");
        table.AddNumberColumn("worst excess");
        table.AddNumberColumn("steady", isOptional: true);
        table.AddNumberColumn("moved mix", isOptional: true);
        table.AddNumberColumn("outage share");
        table.AddNumberColumn("residency");
        table.AddNumberColumn("bound");
        table.AddNumberColumn("affinity");
        foreach (SimulationResult result in results)
        {
            table.AddRow(
            [
                result.Name, Points(result.WorstExcess), Points(result.SteadyExcess), Points(result.ShiftExcess),
                string.Create(CultureInfo.InvariantCulture, $"{result.OutageShare:0.0} %"), ReportFormat.Count(result.ResidencyViolations),
                ReportFormat.Count(result.BoundExceeded), ReportFormat.Percent(result.AffinityKept),
            ]);
        }

        return table;
    }

    private static string Points(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:+0.00;-0.00} pp");

    private static void WriteAll(Utf8JsonWriter writer, string name, IReadOnlyList<SimulationResult> results)
    {
        writer.WriteStartArray(name);
        foreach (SimulationResult result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("name", result.Name);
            writer.WriteNumber("worst_excess_pp", Math.Round(result.WorstExcess, 4));
            writer.WriteNumber("steady_excess_pp", Math.Round(result.SteadyExcess, 4));
            writer.WriteNumber("shift_excess_pp", Math.Round(result.ShiftExcess, 4));
            writer.WriteNumber("run_excess_pp", Math.Round(result.RunExcess, 4));
            writer.WriteNumber("outage_share_pp", Math.Round(result.OutageShare, 4));
            writer.WriteNumber("residency_violations", result.ResidencyViolations);
            writer.WriteNumber("bound_exceeded", result.BoundExceeded);
            writer.WriteNumber("affinity_kept", Math.Round(result.AffinityKept, 6));
            writer.WriteNumber("relaxed", result.Relaxed);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
