using System.Text.RegularExpressions;

namespace Ballast.Tests.Tidy;

/// <summary>A type as declared: nested ones too. Lines count from 1.</summary>
public sealed record DeclaredType(string Name, int Line, bool IsPublic, bool HasDocComment);

/// <summary>A method, constructor, operator, property, indexer or top-level block: from its first word to its last brace. Lines count from 1.</summary>
public sealed record DeclaredFunction(string Name, int Line, int LineCount);

/// <summary>
/// One C# file as the form tests see it: what it declares and what it names. Members are found by matching brackets on masked code, not by a compiler: enough for
/// code that compiles, and no package.
/// </summary>
public sealed partial class SourceFile
{
    private readonly string[] _lines;
    private readonly List<DeclaredType> _types = [];
    private readonly List<DeclaredFunction> _functions = [];

    /// <param name="path">Path in the repository, with forward slashes.</param>
    public SourceFile(string path, string text)
    {
        Path = path;
        Code = CodeMask.Apply(text);
        _lines = text.Split('\n');
        ReadMembers(0, Code.Length, isInType: false);
    }

    public string Path { get; }

    /// <summary>The text with comments and literals blanked.</summary>
    public string Code { get; }
    public int LineCount => _lines.Length - (_lines[^1].Length == 0 ? 1 : 0);
    public IReadOnlyList<DeclaredType> Types => _types;
    public IReadOnlyList<DeclaredFunction> Functions => _functions;
    public string Namespace => NamespaceDeclaration().Match(Code).Groups[1].Value;

    public int LineOf(int index) => Code.AsSpan(0, index).Count('\n') + 1;

    /// <summary>Reads what stands between two braces (or the whole file), member by member.</summary>
    private void ReadMembers(int at, int end, bool isInType)
    {
        while ((at = SkipToWord(at, end)) < end)
        {
            Member member = FindEnd(at, end);
            string header = Code[at..(member.BlockStart ?? member.End)];
            if (NamespaceDeclaration().IsMatch(header) && member.BlockStart is { } open)
            {
                ReadMembers(open + 1, member.End - 1, isInType: false);
            }
            else if (TypeDeclaration().Match(header) is { Success: true } type)
            {
                AddType(at, type.Groups["name"].Value, header);
                if (member.BlockStart is { } body && type.Groups["kind"].Value != "enum")
                {
                    ReadMembers(body + 1, member.End - 1, isInType: true);
                }
            }
            else if (isInType ? IsFunction(header, at, member) : member.BlockStart is not null)
            {
                _functions.Add(new DeclaredFunction(NameOf(header), LineOf(at), LineOf(member.End - 1) - LineOf(at) + 1));
            }

            at = member.End;
        }
    }

    /// <summary>A field's initializer is data and may be long, unless it is a lambda with a block.</summary>
    private bool IsFunction(string header, int start, Member member) =>
        FieldDeclaration().IsMatch(header)
            ? LambdaBlock().IsMatch(Code[start..member.End])
            : member.BlockStart is not null || header.Contains("=>", StringComparison.Ordinal);

    private void AddType(int at, string name, string header)
    {
        int line = LineOf(at);
        int above = line - 2;
        while (above >= 0 && (_lines[above].Trim() is "" || _lines[above].TrimStart().StartsWith('[')))
        {
            above--;
        }

        bool hasDoc = above >= 0 && _lines[above].TrimStart().StartsWith("///", StringComparison.Ordinal);
        _types.Add(new DeclaredType(name, line, PublicWord().IsMatch(header), hasDoc));
    }

    /// <summary>The next place where a declaration begins: attributes and stray semicolons are passed over.</summary>
    private int SkipToWord(int at, int end)
    {
        while (at < end)
        {
            if (Code[at] == '[')
            {
                at = CloseOf(at, end);
            }
            else if (char.IsWhiteSpace(Code[at]) || Code[at] is ';' or '}' or '\uFEFF')
            {
                at++;
            }
            else
            {
                break;
            }
        }

        return at;
    }

    /// <summary>A member ends with its block, or with a semicolon where it has none or goes on after it (<c>= new() { … };</c>, <c>=> x switch { … };</c>).</summary>
    private Member FindEnd(int at, int end)
    {
        bool hasValue = false;
        int? block = null;
        int start = at;
        while (at < end)
        {
            switch (Code[at])
            {
                case '(' or '[':
                    at = CloseOf(at, end);
                    continue;
                case '{':
                    block ??= at;
                    at = CloseOf(at, end);
                    if (!hasValue)
                    {
                        return new Member(block, at);
                    }

                    continue;
                case ';':
                    return new Member(block, at + 1);
                case '=':
                    hasValue |= !OperatorWord().IsMatch(Code.AsSpan(start, at - start)) || Code.AsSpan(at).StartsWith("=>");
                    break;
                default:
                    break;
            }

            at++;
        }

        return new Member(block, end);
    }

    /// <summary>The index behind the bracket that closes the one at <paramref name="at"/>.</summary>
    private int CloseOf(int at, int end)
    {
        int depth = 0;
        for (; at < end; at++)
        {
            depth += Code[at] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            if (depth == 0)
            {
                return at + 1;
            }
        }

        return end;
    }

    private static string NameOf(string header) => FunctionName().Match(header) is { Success: true } match ? match.Groups[1].Value : header.Trim();

    [GeneratedRegex(@"^\s*(?:file-scoped\s+)?namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();

    [GeneratedRegex(
        @"^(?:(?:public|internal|private|protected|file|static|sealed|abstract|partial|readonly|ref|unsafe|new)\s+)*(?<kind>class|struct|interface|enum|record(?:\s+(?:class|struct))?|extension)\s*(?<name>\w*)")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"^(?!.*\boperator\b)[^(=]*=(?!>)", RegexOptions.Singleline)]
    private static partial Regex FieldDeclaration();

    [GeneratedRegex(@"\bpublic\b")]
    private static partial Regex PublicWord();

    [GeneratedRegex(@"=>\s*\{")]
    private static partial Regex LambdaBlock();

    [GeneratedRegex(@"\boperator\s*\S*$")]
    private static partial Regex OperatorWord();

    [GeneratedRegex(@"(?:\boperator\s*)?([^\s(]+?)\s*(?:<[^()]*>)?\s*(?:\(|\{|=>|(?<!=)=(?!=)|$)")]
    private static partial Regex FunctionName();

    private readonly record struct Member(int? BlockStart, int End);
}
