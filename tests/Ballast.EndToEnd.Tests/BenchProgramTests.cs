using System.Diagnostics;

namespace Ballast.EndToEnd.Tests;

/// <summary>The programs under <c>bench/</c> stand outside the solution: without this, a change of the product breaks them unseen.</summary>
public class BenchProgramTests
{
    private static readonly TimeSpan s_buildTimeMax = TimeSpan.FromMinutes(10);

    [LongFact]
    public async Task Build_EveryProgramOfTheBench_Succeeds()
    {
        string root = Root();
        string[] projects = Directory.GetFiles(Path.Combine(root, "bench"), "*.csproj", SearchOption.AllDirectories);
        Assert.NotEmpty(projects);
        foreach (string project in projects)
        {
            // The test runs under the dotnet that built it, wherever that one lies.
            string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Environment.ProcessPath!;
            ProcessStartInfo start = new(dotnet, ["build", project, "-c", "Release", "--nologo", "-v", "q", "--disable-build-servers"])
            {
                WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardInput = true,
            };
            using Process build = Process.Start(start)!;
            build.StandardInput.Close();
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(s_buildTimeMax);
            try
            {
                string said = await build.StandardOutput.ReadToEndAsync(limit.Token);
                await build.WaitForExitAsync(limit.Token);
                Assert.True(build.ExitCode == 0, $"{Path.GetRelativePath(root, project)}:\n{said}");
            }
            catch (OperationCanceledException)
            {
                build.Kill(entireProcessTree: true);
                throw;
            }
        }
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Ballast.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("Ballast.slnx is in no folder above the tests.");
    }
}
