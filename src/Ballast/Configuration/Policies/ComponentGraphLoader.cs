using System.Text;

namespace Ballast.Configuration.Policies;

/// <summary>Reads <c>kind: ComponentGraph</c>. All faults are reported at once, with their places.</summary>
public static class ComponentGraphLoader
{
    public const string Kind = "ComponentGraph";

    /// <summary>Where it lies in the folder of policies.</summary>
    public const string FileName = "components.yaml";

    private static readonly string[] s_provenances = ["declared", "contract", "assumed"];

    /// <param name="yaml">The text.</param>
    /// <param name="kinds">Words for kinds of components.</param>
    public static ComponentGraphLoadResult Load(string yaml, IReadOnlyList<string> kinds)
    {
        LoadContext context = new(FileName, static _ => null, TimeProvider.System);
        if (Encoding.UTF8.GetByteCount(yaml) > PolicyLoader.FileBytesMax)
        {
            context.Faults.Error("", 0, 0, $"the file is larger than {PolicyLoader.FileBytesMax / 1024} KiB", "");
            return new ComponentGraphLoadResult(null, context.Faults.ToList(), context.KnownKeys);
        }

        YamlTree? root = YamlTreeReader.Read(yaml, context.Faults, "apiVersion: ballast/v1");
        if (root is not null and not YamlMap)
        {
            context.Faults.Error("", root.Line, root.Column, $"the file must be a mapping, not {root.Describe()}", $"begin with 'apiVersion: {PolicyLoader.ApiVersion}'");
        }

        ComponentGraphOptions? options = root is YamlMap map ? Read(context, new SectionReader(context, "graph", "", map), kinds) : null;
        return new ComponentGraphLoadResult(context.Faults.HasErrors ? null : options, context.Faults.ToList(), context.KnownKeys);
    }

    private static ComponentGraphOptions Read(LoadContext context, SectionReader file, IReadOnlyList<string> kinds)
    {
        file.OneOf("apiVersion", [PolicyLoader.ApiVersion]);
        file.OneOf("kind", [Kind]);
        ComponentGraphOptions options = new()
        {
            Links = [.. Sections(context, file, "links", "link").Select(section => ReadLink(section, kinds)).OfType<WrittenLink>()],
            Parties =
            [
                .. file.NamedSections("parties", "party", ConfiguredName.IsWord, "letters, digits, '.', '_' and '-'").Select(static pair => ReadParty(pair.Name, pair.Section)),
            ],
            Gateway = [.. Sections(context, file, "gateway", "graph_component").Select(section => ReadComponent(section, kinds)).OfType<WrittenComponent>()],
            Ranges = [.. Sections(context, file, "ranges", "range").Select(section => ReadRange(section, kinds)).OfType<WrittenRange>()],
        };
        file.End();
        file.Require("apiVersion", PolicyLoader.ApiVersion);
        file.Require("kind", Kind);
        return options;
    }

    private static WrittenLink? ReadLink(SectionReader section, IReadOnlyList<string> kinds)
    {
        WrittenComponent? when = section.Section("when", "graph_component") is { } left ? ReadComponent(left, kinds) : null;
        WrittenComponent? needs = section.Section("needs", "graph_component") is { } right ? ReadComponent(right, kinds) : null;
        string provenance = section.OneOf("provenance", s_provenances) ?? "declared";
        string? source = section.Text("source");
        section.End();
        section.Require("when", "when: { platform: azure }");
        section.Require("needs", "needs: { party: microsoft }");
        return when is { } from && needs is { } to ? new WrittenLink(from, to, provenance, source ?? FileName) : null;
    }

    private static WrittenParty ReadParty(string name, SectionReader section)
    {
        WrittenParty party = new(name, section.Text("legal_name"), section.Word("parent"), section.Word("jurisdiction"));
        section.End();
        return party;
    }

    private static WrittenRange? ReadRange(SectionReader section, IReadOnlyList<string> kinds)
    {
        WrittenComponent? component = section.Section("component", "graph_component") is { } written ? ReadComponent(written, kinds) : null;
        string? file = section.Text("file");
        section.End();
        section.Require("component", "component: { platform: aws }");
        section.Require("file", "a text or JSON file with address ranges such as 192.0.2.0/24");
        return component is { } found && file is not null ? new WrittenRange(found, file) : null;
    }

    private static WrittenComponent? ReadComponent(SectionReader section, IReadOnlyList<string> kinds)
    {
        WrittenComponent? found = null;
        int count = 0;
        foreach (string kind in kinds)
        {
            if (section.Reference(kind) is { } name)
            {
                found = new WrittenComponent(kind, name);
                count++;
            }
        }

        section.End();
        if (count == 1)
        {
            return found;
        }

        section.ErrorAt(section.Path, "exactly one component is expected here", "{ platform: azure }");
        return null;
    }

    private static List<SectionReader> Sections(LoadContext context, SectionReader file, string key, string kind)
    {
        List<SectionReader> sections = [];
        foreach ((YamlTree item, string path) in file.Items(key) ?? [])
        {
            if (item is YamlMap map)
            {
                sections.Add(new SectionReader(context, kind, path, map));
            }
            else
            {
                context.Faults.Error(path, item.Line, item.Column, $"a mapping is expected here, not {item.Describe()}", "");
            }
        }

        return sections;
    }
}
