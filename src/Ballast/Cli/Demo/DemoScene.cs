namespace Ballast.Cli.Demo;

/// <summary>All that a picture of the running demo is drawn from.</summary>
internal sealed record DemoScene(DemoSettings Settings, DemoHouse House, DemoStory Story, DemoTally Tally, LineLog Log)
{
    public string Headline => Story.Phase switch
    {
        StoryPhase.Calm => "all clouds are there",
        StoryPhase.Shift => "three times as many contracts: the mix has moved",
        StoryPhase.Outage => "Azure has disappeared",
        StoryPhase.Recovery => "Azure is back and earns its share again",
        StoryPhase.Closing => "the last answers come in",
        _ => "the story is over",
    };
}
