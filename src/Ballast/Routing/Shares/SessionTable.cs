namespace Ballast.Routing.Shares;

/// <summary>
/// Which candidate has a session's cache warm. A fixed number of places, two for each hash: an old session gives way to a new one. Not thread-safe; allocates
/// nothing after it was made.
/// </summary>
public sealed class SessionTable
{
    /// <summary>Sessions remembered, a power of two.</summary>
    public const int PlacesMax = 1 << 16;

    private readonly Place[] _places = new Place[PlacesMax];

    /// <summary>The candidate, or -1 where the session is not known or has been cold since <paramref name="coldBefore"/>.</summary>
    public int Find(ulong session, long coldBefore)
    {
        ref Place first = ref _places[Home(session)];
        if (first.Session == session && session != 0)
        {
            return first.SeenAt >= coldBefore ? first.Index : -1;
        }

        ref Place second = ref _places[Home(session) ^ 1];
        return second.Session == session && session != 0 && second.SeenAt >= coldBefore ? second.Index : -1;
    }

    public void Note(ulong session, int index, long now)
    {
        if (session == 0)
        {
            return;
        }

        int home = Home(session);
        int other = home ^ 1;
        int place = _places[home].Session == session ? home
            : _places[other].Session == session ? other
            : _places[home].SeenAt <= _places[other].SeenAt ? home : other;
        _places[place] = new Place { Session = session, Index = index, SeenAt = now };
    }

    private static int Home(ulong session) => (int)((session * 0x9E3779B97F4A7C15UL) >> 48);

    private struct Place
    {
        public ulong Session;
        public long SeenAt;
        public int Index;
    }
}
