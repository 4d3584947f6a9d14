using Microsoft.Playwright;

namespace Ballast.EndToEnd.Tests.Page;

/// <summary>The system's own Chromium, without windows and with a profile of its own; it calls nobody by itself.</summary>
internal static class Chromium
{
    private static readonly string[] s_places =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];

    /// <summary>Skips the test where no browser is installed.</summary>
    public static async Task<IBrowser> LaunchAsync(IPlaywright playwright)
    {
        string? place = s_places.FirstOrDefault(File.Exists);
        Assert.SkipWhen(place is null, "no Chromium is installed (./test installs it where it can)");
        return await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = place,
            Headless = true,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
    }
}
