using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Ballast.Cli;

/// <summary><c>ballast orgs</c>, <c>teams</c>, <c>apps</c>, <c>keys</c>, <c>budgets</c>, <c>tokens</c>: the running gateway's own administration from the command line.</summary>
public static class AdminCommand
{
    private enum Form
    {
        Text,
        Number,
        List,
        Flag,
    }

    /// <summary>One field that can be set.</summary>
    /// <param name="Name">Of the option, without its dashes.</param>
    /// <param name="Path">In the document; a dot leads into an object.</param>
    /// <param name="Form">How its value is written.</param>
    /// <param name="Help">For people.</param>
    private sealed record Field(string Name, string Path, Form Form, string Help);

    private static readonly Field[] s_grant =
    [
        new("geo", "allow.geo", Form.List, "Geographies that data may be processed in, separated by commas."),
        new("retention-days-max", "allow.retention_days_max", Form.Number, "Longest retention allowed."),
        new("training", "allow.training", Form.Flag, "Whether endpoints that train on data are allowed."),
        new("models", "models", Form.List, "Models that may be asked for."),
        new("requests-per-minute", "rate_limits.requests_per_minute", Form.Number, "Requests in any 60 seconds."),
        new("input-tokens-per-minute", "rate_limits.input_tokens_per_minute", Form.Number, "Input tokens in any 60 seconds."),
        new("output-tokens-per-minute", "rate_limits.output_tokens_per_minute", Form.Number, "Output tokens in any 60 seconds."),
        new("concurrent-requests", "rate_limits.concurrent_requests", Form.Number, "Requests at once."),
    ];

    private static readonly Dictionary<string, (string About, Field[] Fields, string[] Columns, string Example)> s_kinds = new(StringComparer.Ordinal)
    {
        ["orgs"] = ("Organisations: what their teams may use together.", s_grant, ["id", "models", "source"], "ballast orgs set acme --geo eu --retention-days-max 30"),
        ["tokens"] = ("Tokens for administration: for everything, or for an organisation, a team or an app. A token's text is shown once.",
            [
                new("role", "role", Form.Text, "admin or viewer."), new("organisation", "organisation", Form.Text, "Whose administration."), new("team", "team", Form.Text, "Whose administration."),
                new("app", "app", Form.Text, "Whose administration."), new("expires-at", "expires_at", Form.Text, "Moment from which on it is unknown, such as 2027-12-31T00:00:00Z."),
            ],
            ["id", "role", "organisation", "team", "app", "expires_at", "created_by"], "ballast tokens set auditor --role viewer"),
        ["teams"] = ("Teams: what their apps may use together.", [new("organisation", "organisation", Form.Text, "Its organisation."), .. s_grant],
            ["id", "organisation", "models", "source"], "ballast teams set research --geo eu --requests-per-minute 6000"),
        ["apps"] = ("Apps: who owns them, how critical they are, what their keys may use together.",
            [
                new("team", "team", Form.Text, "Its team."), new("owner", "owner", Form.Text, "Who answers for it."), new("tier", "tier", Form.Number, "Criticality, 1 is the most."),
                new("data-class", "data_class", Form.Text, "public, internal, confidential or restricted."),
                new("when-store-is-lost", "when_store_is_lost", Form.Text, "refuse or serve."), .. s_grant,
            ],
            ["id", "team", "owner", "tier", "data_class", "source"], "ballast apps set assistant --team research --tier 1 --owner research@example.com"),
        ["keys"] = ("API keys: made, rotated, revoked. A key's text is shown once.",
            [
                new("app", "app", Form.Text, "The app it belongs to."), new("scopes", "scopes", Form.List, "What may be asked of the gateway, separated by commas."),
                new("expires-at", "expires_at", Form.Text, "Moment from which on it is unknown, such as 2027-12-31T00:00:00Z."), new("loss-policy", "loss_policy", Form.Text, "strict, warn or allow."), .. s_grant,
            ],
            ["id", "app", "scopes", "expires_at", "revoked_at", "source"], "ballast keys set assistant-web --app assistant --scopes chat"),
        ["budgets"] = ("Budgets: what an organisation, team, app or key may spend in a calendar period.",
            [
                new("organisation", "organisation", Form.Text, "Whose."), new("team", "team", Form.Text, "Whose."), new("app", "app", Form.Text, "Whose."), new("key", "key", Form.Text, "Whose."),
                new("usd", "usd", Form.Number, "US dollars."), new("tokens", "tokens", Form.Number, "Or tokens."), new("period", "period", Form.Text, "day, week or month."),
                new("zone", "zone", Form.Text, "Time zone, such as Europe/Berlin."), new("alert-at", "alert_at", Form.List, "Shares in per cent."), new("hard", "hard", Form.Flag, "Whether it refuses when it is used up."),
                new("unpriced-request-usd", "unpriced_request_usd", Form.Number, "What a request without a price is taken for."),
                new("unpriced-batch-usd", "unpriced_batch_usd", Form.Number, "What a batch is taken for."),
            ],
            ["id", "organisation", "team", "app", "key", "period", "usd", "tokens", "state.spent", "state.reserved", "state.remaining"], "ballast budgets set assistant-month --app assistant --usd 500 --zone Europe/Berlin"),
    };

    /// <param name="name">One of orgs, teams, apps, keys, budgets, tokens.</param>
    public static Command Create(string name)
    {
        (string about, Field[] fields, string[] columns, string example) = s_kinds[name];
        string path = name == "orgs" ? "organisations" : name;
        Command command = new(
            name,
            $"""
            {about}

            Asks the running gateway (--admin) with the token in {AdminClient.TokenVariable}. What the configuration file declares is shown and
            changed there. docs/keys.md says what each field means.

            Exit code: 0 done, 1 the gateway refused or does not answer, 2 a wrong argument.

            Examples:
              ballast {name} list
              {example}
            """);
        Option<string> admin = new("--admin") { HelpName = "URL", Description = "The gateway's administration.", DefaultValueFactory = static _ => "http://127.0.0.1:8081", Recursive = true };
        Option<bool> json = new("--json") { Description = "One line of JSON.", Recursive = true };
        command.Add(admin);
        command.Add(json);
        Argument<string> id = new("id") { Description = "Its name." };

        Add("list", "All of them.", [], [], async (client, parsed, cancellation) =>
            WriteList(parsed, await client.ListAsync(path, cancellation).ConfigureAwait(false), columns, parsed.GetValue(json)));
        Add("show", "One of them.", [id], [], async (client, parsed, cancellation) =>
            WriteOne(parsed, (await client.FindAsync(PathOf(path, parsed, id), cancellation).ConfigureAwait(false) ?? throw new AdminException($"There is no '{parsed.GetValue(id)}' among {name}.")).Document));
        Option<string?>[] options = [.. fields.Select(static field => new Option<string?>("--" + field.Name) { Description = field.Help })];
        Add("set", "Makes one, or changes what is given of it; an empty value takes a field away.", [id], options, async (client, parsed, cancellation) =>
        {
            (JsonObject Document, string ETag)? known = await client.FindAsync(PathOf(path, parsed, id), cancellation).ConfigureAwait(false);
            JsonObject document = known?.Document ?? new JsonObject { ["id"] = parsed.GetValue(id) };
            for (int i = 0; i < fields.Length; i++)
            {
                Put(document, fields[i], parsed.GetValue(options[i]));
            }

            WriteOne(parsed, known is null
                ? await client.ChangeAsync(HttpMethod.Post, path, document, null, cancellation).ConfigureAwait(false)
                : await client.ChangeAsync(HttpMethod.Put, PathOf(path, parsed, id), document, known.Value.ETag, cancellation).ConfigureAwait(false));
        });
        Add("delete", "Takes one away.", [id], [], (client, parsed, cancellation) => DeleteAsync(client, PathOf(path, parsed, id), parsed, parsed.GetValue(json) ? parsed.GetValue(id) : null, cancellation));
        if (name == "keys")
        {
            Option<int> overlap = new("--overlap-seconds") { Description = "How long the old text is taken beside the new one.", DefaultValueFactory = static _ => 86_400 };
            Add("rotate", "Gives a key another text, which is shown once.", [id], [overlap], async (client, parsed, cancellation) => WriteOne(parsed, await client.ChangeAsync(
                HttpMethod.Post, PathOf(path, parsed, id) + "/rotate", new JsonObject { ["overlap_seconds"] = parsed.GetValue(overlap) }, null, cancellation).ConfigureAwait(false)));
            Add("revoke", "Makes a key unknown, for good.", [id], [], async (client, parsed, cancellation) =>
                WriteOne(parsed, await client.ChangeAsync(HttpMethod.Post, PathOf(path, parsed, id) + "/revoke", null, null, cancellation).ConfigureAwait(false)));
        }

        return command;

        void Add(string verb, string help, Argument[] arguments, IReadOnlyList<Option> more, Func<AdminClient, ParseResult, CancellationToken, Task> run)
        {
            Command sub = new(verb, help);
            Array.ForEach(arguments, sub.Add);
            foreach (Option option in more)
            {
                sub.Add(option);
            }

            sub.SetAction((parsed, cancellation) => RunAsync(parsed, parsed.GetValue(admin)!, client => run(client, parsed, cancellation)));
            command.Add(sub);
        }
    }

    private static async Task<int> RunAsync(ParseResult parsed, string address, Func<AdminClient, Task> run)
    {
        try
        {
            using AdminClient client = new(address, Environment.GetEnvironmentVariable(AdminClient.TokenVariable), Environment.GetEnvironmentVariable(AdminClient.CertificateVariable));
            await run(client).ConfigureAwait(false);
            return 0;
        }
        catch (AdminException refused)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(refused.Message).ConfigureAwait(false);
            return 1;
        }
        catch (UsageException wrong)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(wrong.Message).ConfigureAwait(false);
            return CommandLine.UsageError;
        }
    }

    private static async Task DeleteAsync(AdminClient client, string path, ParseResult parsed, string? told, CancellationToken cancellation)
    {
        await client.ChangeAsync(HttpMethod.Delete, path, null, "*", cancellation).ConfigureAwait(false);
        if (told is not null)
        {
            WriteOne(parsed, new JsonObject { ["id"] = told, ["deleted"] = true });
        }
    }

    private static string PathOf(string name, ParseResult parsed, Argument<string> id) => $"{name}/{Uri.EscapeDataString(parsed.GetValue(id)!)}";

    private static void Put(JsonObject document, Field field, string? value)
    {
        if (value is null)
        {
            return;
        }

        string[] steps = field.Path.Split('.');
        JsonObject place = document;
        if (steps.Length > 1)
        {
            place = document[steps[0]] as JsonObject ?? [];
            document[steps[0]] = place.Parent is null ? place : document[steps[0]];
        }

        place.Remove(steps[^1]);
        if (value.Length > 0)
        {
            place[steps[^1]] = Value(field, value);
        }
        else if (steps.Length > 1 && !place.Any(static left => left.Key != "training"))
        {
            document.Remove(steps[0]);
        }
    }

    private static JsonNode Value(Field field, string value) => field.Form switch
    {
        Form.Number => decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
            ? JsonValue.Create(number) : throw new UsageException($"--{field.Name} takes a number from 0 on, such as 500 or 0.25, not '{value}'."),
        Form.Flag => bool.TryParse(value, out bool flag) ? JsonValue.Create(flag) : throw new UsageException($"--{field.Name} takes true or false, not '{value}'."),
        Form.List => new JsonArray([.. value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(static item => int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? JsonValue.Create(number) : (JsonNode)JsonValue.Create(item))]),
        _ => JsonValue.Create(value),
    };

    private static void WriteOne(ParseResult parsed, JsonObject document) => parsed.InvocationConfiguration.Output.WriteLine(document.ToJsonString());

    private static void WriteList(ParseResult parsed, JsonArray all, string[] columns, bool isJson)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        if (isJson)
        {
            output.WriteLine(all.ToJsonString());
            return;
        }

        ReportTable table = new($"{all.Count} in all");
        foreach (string column in columns)
        {
            table.AddTextColumn(column[(column.LastIndexOf('.') + 1)..].Replace('_', ' '));
        }

        foreach (JsonNode? one in all)
        {
            table.AddRow(columns.Select(column => Cell(one!, column)));
        }

        table.WriteTerminal(output);
    }

    private static string Cell(JsonNode document, string column)
    {
        JsonNode? value = column.Split('.').Aggregate((JsonNode?)document, static (node, step) => node?[step]);
        return value switch
        {
            null => ReportFormat.Unknown,
            JsonArray list => string.Join(", ", list.Select(static item => item?.ToString())),
            _ => value.ToString(),
        };
    }
}
