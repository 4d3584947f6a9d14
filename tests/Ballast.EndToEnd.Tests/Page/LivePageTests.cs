using Microsoft.Playwright;

namespace Ballast.EndToEnd.Tests.Page;

/// <summary>The page in a real browser, over a real gateway: what a person sees while a platform goes and comes back.</summary>
public sealed class LivePageTests
{
    /// <summary>Generous: the page asks once a second, and a busy machine is slow.</summary>
    private const float SeenWithinMilliseconds = 30_000;

    [Fact]
    public async Task Page_PlatformGoesAndReturns_ShowsItAndAsksNobodyElse()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        await using PageHouse house = await PageHouse.StartAsync();
        IPage page = await browser.NewPageAsync();
        Watch watch = new(page, house.Server.AdminAddress);
        await page.GotoAsync(house.Server.AdminAddress.ToString());

        await SeeAsync(page, "#headline", "no traffic yet");
        await SeeAsync(page, "#curl", "/v1/chat/completions");

        house.BeginAsking();
        await SeeAsync(page, "#headline", "azure carries the traffic");
        await page.WaitForSelectorAsync("#chart polygon", Attached());
        await SeeAsync(page, "#deployments", "ready");

        await house.Sandbox.DisappearAsync("azure");
        await SeeAsync(page, "#headline", "azure is down: 1 of 2 deployments rests; no request failed");
        await SeeAsync(page, "#platforms tr:has-text('azure')", "down");
        await SeeAsync(page, "#chart", "azure down");

        await house.Sandbox.ReturnAsync("azure");
        await SeeAsync(page, "#chart", "azure back");
        await SeeAsync(page, "#headline", "azure");
        await page.WaitForFunctionAsync("() => document.body.dataset.state === 'good'", null, new PageWaitForFunctionOptions { Timeout = SeenWithinMilliseconds });

        Assert.Equal(0, house.Server.Totals.Snapshot().RequestsFailed);
        watch.AssertQuiet();
    }

    [Fact]
    public async Task Page_ModelNameThatIsMarkup_StaysText()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        await using PageHouse house = await PageHouse.StartAsync();
        IPage page = await browser.NewPageAsync();
        Watch watch = new(page, house.Server.AdminAddress);
        await page.GotoAsync(house.Server.AdminAddress.ToString());

        await SeeAsync(page, "#exposure", PageHouse.HostileModel);
        await SeeAsync(page, "#curl", PageHouse.HostileModel);

        Assert.Equal(0, await page.Locator("img").CountAsync());
        watch.AssertQuiet();
    }

    [Fact]
    public async Task Page_PolicyIsInForce_ShowsSharesAgainstLimitsAndWhatGaveWay()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        await using PageHouse house = await PageHouse.StartAsync(isLimited: true);
        IPage page = await browser.NewPageAsync();
        Watch watch = new(page, house.Server.AdminAddress);
        await page.GotoAsync(house.Server.AdminAddress.ToString());
        await SeeAsync(page, "#headline", "no traffic yet");
        Assert.True(await page.Locator("#balance").IsHiddenAsync());

        house.BeginAsking();
        await SeeAsync(page, "#balanceOf", "policy page, version 3, counted in tokens");
        await SeeAsync(page, "#rules article:has-text('azure')", "at most 80%");
        await SeeAsync(page, "#rules article:has-text('openai')", "soft");
        await page.WaitForSelectorAsync("#rules .limitChart[aria-label*='azure, at most 80.0%; now'] polyline", Attached());
        await page.WaitForSelectorAsync("#platformStack[aria-label*='azure'] polygon", Attached());
        await page.WaitForSelectorAsync("#vendorStack[aria-label*='openai 100%'] polygon", Attached());
        await SeeAsync(page, "#budgets", "page-day");
        await SeeAsync(page, "#budgets", "of $10.00");
        Assert.True(await page.Locator("#worst").IsHiddenAsync()); // nobody watches beside it

        await house.Sandbox.DisappearAsync("openai");
        await SeeAsync(page, "#events", "openai is down");
        await SeeAsync(page, "#events", "The cap of 80% on azure gave way for");

        Assert.Equal(0, house.Server.Totals.Snapshot().RequestsFailed);
        watch.AssertQuiet();
    }

    [Fact]
    public async Task Page_AnyWidth_NeverScrollsSideways()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        await using PageHouse house = await PageHouse.StartAsync(isLimited: true);
        house.BeginAsking();
        IPage page = await browser.NewPageAsync();
        await page.GotoAsync(house.Server.AdminAddress.ToString());
        await page.WaitForSelectorAsync("#chart polygon", Attached());
        await page.WaitForSelectorAsync("#rules polyline", Attached());
        foreach (int width in (int[])[1600, 1200, 800, 400, 360])
        {
            await page.SetViewportSizeAsync(width, 800);
            // The chart is drawn anew with the next figures.
            await page.WaitForFunctionAsync(
                "() => document.querySelector('#chart svg').viewBox.baseVal.width === document.querySelector('#chart').clientWidth", null,
                new PageWaitForFunctionOptions { Timeout = SeenWithinMilliseconds });

            Assert.Equal(width, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
        }
    }

    [Fact]
    public async Task Page_GatewayStops_SaysSinceWhen()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        PageHouse house = await PageHouse.StartAsync();
        IPage page = await browser.NewPageAsync();
        await page.GotoAsync(house.Server.AdminAddress.ToString());
        await SeeAsync(page, "#headline", "no traffic yet");

        await house.DisposeAsync();

        await SeeAsync(page, "#headline", "has not answered since");
    }

    private static PageWaitForSelectorOptions Attached() => new() { State = WaitForSelectorState.Attached, Timeout = SeenWithinMilliseconds };

    private static async Task SeeAsync(IPage page, string place, string text) =>
        await page.Locator(place).Filter(new LocatorFilterOptions { HasText = text }).First.WaitForAsync(
            new LocatorWaitForOptions { State = WaitForSelectorState.Attached, Timeout = SeenWithinMilliseconds });

    /// <summary>Notes what a page complains of and whom it asks.</summary>
    private sealed class Watch
    {
        private readonly List<string> _complaints = [];
        private readonly List<string> _strangers = [];
        private int _requests;

        public Watch(IPage page, Uri origin)
        {
            page.Console += (_, message) => _complaints.Add($"{message.Type}: {message.Text}");
            page.PageError += (_, error) => _complaints.Add(error);
            page.Dialog += (_, dialog) => _complaints.Add($"dialog: {dialog.Message}");
            page.Request += (_, request) =>
            {
                _requests++;
                if (!request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith(origin.GetLeftPart(UriPartial.Authority) + "/", StringComparison.Ordinal))
                {
                    _strangers.Add(request.Url);
                }
            };
        }

        public void AssertQuiet()
        {
            Assert.True(_requests > 3);
            Assert.Empty(_complaints);
            Assert.Empty(_strangers);
        }
    }
}
