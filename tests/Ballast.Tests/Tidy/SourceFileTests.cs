namespace Ballast.Tests.Tidy;

public sealed class SourceFileTests
{
    private const string Sample = """"
        using System;

        namespace Sample.Inner;

        /// <summary>Documented, behind an attribute.</summary>
        [Serializable]
        public sealed partial class First<T>(int size) : Base(size)
            where T : class
        {
            private static readonly int[] s_table =
            [
                1,
                2,
            ];

            private readonly Map _map = new() { ["{"] = 1 };

            private readonly Action _action = () =>
            {
                Run();
            };

            public int Size { get; init; } = 5;

            public int Twice
            {
                get { return Size * 2; }
            }

            [Obsolete("}")]
            public First(int a = 1, string b = "{")
                : this(a)
            {
            }

            public static bool operator ==(First<T> a, First<T> b)
            {
                return true;
            }

            private int Pick(int x) => x switch
            {
                1 => 2,
                _ => 3,
            };

            private async Task RunAsync<U>(U u) where U : struct
            {
                if (u is { } v)
                {
                    void Local() { }
                    Local();
                }

                string s = $"{{{u}}}" + """{""";
            }

            private enum Kind { A = 1, B }
        }

        public record Second(int A);

        internal interface IThird
        {
            void Do();
        }
        """";

    private readonly SourceFile _file = new("src/Sample/Inner/First.cs", Sample);

    [Fact]
    public void Types_OfASample_AreAllFound() =>
        Assert.Equal(
            [("First", 7, true, true), ("Kind", 58, false, false), ("Second", 61, true, false), ("IThird", 63, false, false)],
            _file.Types.Select(type => (type.Name, type.Line, type.IsPublic, type.HasDocComment)));

    [Fact]
    public void Functions_OfASample_AreFoundWithTheirLength() =>
        Assert.Equal(
            [("_action", 18, 4), ("Size", 23, 1), ("Twice", 25, 4), ("First", 31, 4), ("==", 36, 4), ("Pick", 41, 5), ("RunAsync", 47, 10)],
            _file.Functions.Select(function => (function.Name, function.Line, function.LineCount)));

    [Fact]
    public void Namespace_OfASample_IsRead() => Assert.Equal("Sample.Inner", _file.Namespace);

    [Fact]
    public void Functions_OfTopLevelStatements_AreFound()
    {
        SourceFile program = new("src/Sample/Program.cs", "using System;\n\nif (args.Length > 0)\n{\n    return 1;\n}\n\nreturn 0;\n");

        Assert.Equal([(3, 4)], program.Functions.Select(function => (function.Line, function.LineCount)));
    }
}
