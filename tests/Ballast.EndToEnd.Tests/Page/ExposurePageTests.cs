using System.Text;
using System.Text.RegularExpressions;
using Ballast.Cli;
using Microsoft.Playwright;

namespace Ballast.EndToEnd.Tests.Page;

/// <summary>The exposure page in a real browser: on a light and a dark screen, on a telephone, and printed.</summary>
public sealed partial class ExposurePageTests
{
    private const int PagesMax = 5;

    /// <summary>A4 less two margins of 14 mm, in CSS pixels.</summary>
    private const int PrintedWidth = 688;

    /// <summary>Names every element that is wider than its place, and every word of a picture that lies outside of it.</summary>
    private const string Overflowing =
        """
        () => {
          const found = [];
          const root = document.documentElement;
          if (root.scrollWidth > root.clientWidth) found.push('the page is ' + root.scrollWidth + ' wide of ' + root.clientWidth);
          for (const cell of document.querySelectorAll('td,th,li,p,h1,h2,h3,.card,.card b,.card span'))
            if (cell.scrollWidth > cell.clientWidth + 1 && getComputedStyle(cell).display !== 'inline') found.push(cell.tagName + ': ' + cell.textContent.slice(0, 60));
          for (const picture of document.querySelectorAll('svg')) {
            const box = picture.getBoundingClientRect();
            for (const word of picture.querySelectorAll('text')) {
              const at = word.getBoundingClientRect();
              if (at.left < box.left - 1 || at.right > box.right + 1 || at.top < box.top - 2 || at.bottom > box.bottom + 2) found.push('text: ' + word.textContent);
            }
          }
          return found;
        }
        """;

    /// <summary>Contrast of every text against what lies behind it, by WCAG 2.1; those below 4.5.</summary>
    private const string Faint =
        """
        () => {
          const parse = text => text.match(/[\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = node => { for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
          const found = [];
          for (const node of document.querySelectorAll('h1,h2,h3,p,td,th,li,b,span:not(.bar)')) {
            if (!node.textContent.trim()) continue;
            const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
            if ((a + 0.05) / (b + 0.05) < 4.5) found.push(((a + 0.05) / (b + 0.05)).toFixed(2) + ' ' + node.textContent.slice(0, 40));
          }
          return [...new Set(found)];
        }
        """;

    [Fact]
    public async Task Page_Printed_HasFewPagesAndNothingIsCut()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        IPage page = await OpenAsync(browser, await HtmlAsync());
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        await page.SetViewportSizeAsync(PrintedWidth, 1000);

        Assert.Empty(await page.EvaluateAsync<string[]>(Overflowing));
        byte[] pdf = await page.PdfAsync(new PagePdfOptions { PreferCSSPageSize = true, PrintBackground = true });
        MatchCollection pages = PageOfPdf().Matches(Encoding.Latin1.GetString(pdf));
        Assert.InRange(pages.Count, 1, PagesMax);
        Assert.All(MediaBox().Matches(Encoding.Latin1.GetString(pdf)), static box => Assert.Equal((595, 842), (Points(box.Groups[1]), Points(box.Groups[2]))));
    }

    [Fact]
    public async Task Page_OnAnyScreen_FitsAndCanBeRead()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        IPage page = await OpenAsync(browser, await HtmlAsync());
        foreach (ColorScheme scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Screen, ColorScheme = scheme });
            await page.SetViewportSizeAsync(1280, 900);
            Assert.Empty(await page.EvaluateAsync<string[]>(Overflowing));
            Assert.Empty(await page.EvaluateAsync<string[]>(Faint));
        }

        await page.SetViewportSizeAsync(390, 800);
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
    }

    /// <summary>What a director must find, on the first page and in words; and nothing that a name brought with it.</summary>
    [Fact]
    public async Task Page_Everything_IsSaidAndNothingRuns()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        string html = await HtmlAsync();
        IPage page = await OpenAsync(browser, html);
        string text = await page.InnerTextAsync("body");

        foreach (string said in (string[])
        [
            "If openai (vendor) disappears,", "If one of them disappears", "What to decide", "Limits and breaches", "breached", "does not hold", "Shares over time against the limits", "openai (vendor)",
            "end of life", "Who stands on whom", "Is there room elsewhere?", "unknown", "What stops a model", "anthropic is configured as anthropic and its address lies in aws (platform)", "Where accounts' addresses lie", "differs", "Ballast itself runs on", "Measured:", "Modelled:", "assumed",
        ])
        {
            Assert.Contains(said, text, StringComparison.Ordinal);
        }

        Assert.InRange(await page.Locator("svg").CountAsync(), 3, 20); // the shares, the graph, and one for each model
        Assert.Equal(0, await page.Locator("img,script,link,iframe").CountAsync());
        Assert.DoesNotContain("http", html, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Page_WithoutTraffic_SaysSo()
    {
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await Chromium.LaunchAsync(playwright);
        IPage page = await OpenAsync(browser, await HtmlAsync("--app", "nobody"));
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        await page.SetViewportSizeAsync(PrintedWidth, 1000);

        Assert.Contains("There is no traffic in this time.", await page.InnerTextAsync("body"), StringComparison.Ordinal);
        Assert.Empty(await page.EvaluateAsync<string[]>(Overflowing));
    }

    private static async Task<string> HtmlAsync(params string[] arguments)
    {
        await using ExposureHouse house = new(new DateTimeOffset(2026, 11, 30, 6, 0, 0, TimeSpan.Zero));
        await house.FillAsync();
        await house.RunAsync(ShiftsCommand.Create(), "--since", "2026-11-23");
        return await house.RunAsync(ExposureCommand.Create(), ["--since", "2026-11-16", "--html", .. arguments]);
    }

    private static async Task<IPage> OpenAsync(IBrowser browser, string html)
    {
        IPage page = await browser.NewPageAsync();
        await page.SetContentAsync(html);
        return page;
    }

    private static double Points(Group number) => Math.Round(double.Parse(number.Value, System.Globalization.CultureInfo.InvariantCulture));

    [GeneratedRegex(@"/Type\s*/Page\b(?!s)")]
    private static partial Regex PageOfPdf();

    [GeneratedRegex(@"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]")]
    private static partial Regex MediaBox();
}
