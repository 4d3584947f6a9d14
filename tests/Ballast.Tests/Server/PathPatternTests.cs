using Ballast.Server;

namespace Ballast.Tests.Server;

public class PathPatternTests
{
    [Theory]
    [InlineData("/a/", "", ":go", "/a/m:go", "m")]
    [InlineData("/a/", "", ":go", "/a/x/y:go", "x/y")]
    [InlineData("/a/", "", ":go", "/a/x%2Fy%2fz:go", "x/y/z")]
    [InlineData("/a/", "", ":go", "/a/x:y:go", "x:y")]
    [InlineData("/a/", "", ":go", "/a/:go", null)]
    [InlineData("/a/", "", ":go", "/a:go", null)]
    [InlineData("/a/", "", ":go", "/a/m", null)]
    [InlineData("/a/", "", ":go", "/b/m:go", null)]
    [InlineData("/a/", "", "", "/a/m", "m")]
    [InlineData("/a/", "", "", "/a/", null)]
    [InlineData("/p/", "/models/", ":go", "/p/one/places/two/models/m:go", "m")]
    [InlineData("/p/", "/models/", ":go", "/p/one/models/a/models/b:go", "a/models/b")]
    [InlineData("/p/", "/models/", ":go", "/p/one/m:go", null)]
    [InlineData("/p/", "/models/", ":go", "/p/one/models/:go", null)]
    [InlineData("/model/", "", "/converse", "/model/converse", null)]
    public void Match_Path_GivesTheModel(string prefix, string infix, string suffix, string path, string? model) =>
        Assert.Equal(model, new PathPattern(prefix, infix, suffix).Match(path));

    [Theory]
    [InlineData("/p/one/publishers/x/models/m:go", "x/m")]
    [InlineData("/p/one/publishers/x/models/m%2Fn:go", "x/m/n")]
    [InlineData("/p/one/publishers/x/m:go", null)]
    [InlineData("/p/one/publishers/:go", null)]
    public void Match_ModelTakenApartAtItsSlash_IsPutTogether(string path, string? model) =>
        Assert.Equal(model, new PathPattern("/p/", "/publishers/", ":go") { Joint = "/models/" }.Match(path));
}
