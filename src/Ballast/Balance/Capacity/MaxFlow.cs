namespace Ballast.Balance.Capacity;

/// <summary>The most that can flow through a small network (Edmonds and Karp, Journal of the ACM 1972: along shortest paths that still have room).</summary>
public sealed class MaxFlow(int nodes)
{
    private const double Least = 1e-9;

    private readonly List<(int To, double Room)> _edges = [];
    private readonly List<int>[] _from = [.. Enumerable.Range(0, nodes).Select(static _ => new List<int>())];

    public void Add(int from, int to, double room)
    {
        _from[from].Add(_edges.Count);
        _edges.Add((to, room));
        _from[to].Add(_edges.Count);
        _edges.Add((from, 0));
    }

    /// <summary>Uses the network up. At least one edge of every path must be finite.</summary>
    public double Run(int source, int sink)
    {
        double flow = 0;
        while (Find(source, sink) is { } path)
        {
            double room = path.Min(edge => _edges[edge].Room);
            foreach (int edge in path)
            {
                _edges[edge] = _edges[edge] with { Room = _edges[edge].Room - room };
                _edges[edge ^ 1] = _edges[edge ^ 1] with { Room = _edges[edge ^ 1].Room + room };
            }

            flow += room;
        }

        return flow;
    }

    private List<int>? Find(int source, int sink)
    {
        int[] cameBy = new int[_from.Length];
        Array.Fill(cameBy, -1);
        cameBy[source] = int.MaxValue;
        Queue<int> open = new([source]);
        while (open.TryDequeue(out int node))
        {
            foreach (int edge in _from[node])
            {
                int to = _edges[edge].To;
                if (cameBy[to] >= 0 || _edges[edge].Room <= Least)
                {
                    continue;
                }

                cameBy[to] = edge;
                if (to != sink)
                {
                    open.Enqueue(to);
                    continue;
                }

                List<int> path = [];
                for (int at = sink; at != source; at = _edges[cameBy[at] ^ 1].To)
                {
                    path.Add(cameBy[at]);
                }

                return path;
            }
        }

        return null;
    }
}
