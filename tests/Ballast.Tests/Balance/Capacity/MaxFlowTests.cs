using Ballast.Balance.Capacity;

namespace Ballast.Tests.Balance.Capacity;

public class MaxFlowTests
{
    /// <summary>The most that flows equals the least that separates source and sink, here by looking at every set of nodes.</summary>
    [Fact]
    public void Run_RandomNetworks_EqualsTheSmallestCut()
    {
        Random random = new(8);
        for (int run = 0; run < 300; run++)
        {
            int nodes = random.Next(2, 9);
            (int From, int To, double Room)[] edges =
            [
                .. from one in Enumerable.Range(0, nodes)
                   from other in Enumerable.Range(0, nodes)
                   where one != other && random.Next(3) != 0
                   select (one, other, (double)random.Next(0, 20)),
            ];
            MaxFlow flow = new(nodes);
            foreach ((int from, int to, double room) in edges)
            {
                flow.Add(from, to, room);
            }

            double smallest = Enumerable.Range(0, 1 << nodes).Where(set => (set & 1) != 0 && (set & (1 << (nodes - 1))) == 0)
                .Min(set => edges.Where(edge => (set & (1 << edge.From)) != 0 && (set & (1 << edge.To)) == 0).Sum(static edge => edge.Room));

            Assert.Equal(smallest, flow.Run(0, nodes - 1), precision: 6);
        }
    }
}
