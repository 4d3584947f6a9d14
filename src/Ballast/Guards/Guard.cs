using Ballast.Catalog;
using Ballast.Exchanges;

namespace Ballast.Guards;

/// <summary>Decides whether a request may go on. <see cref="Admit"/> comes before any work, <see cref="Settle"/> after it, whatever happened, and may be repeated.</summary>
public sealed class Guard
{
    private int _running;
    private volatile IReadOnlySet<string>? _admitOnly;

    /// <summary>Only these apps' requests are taken, others are told that the gateway does not serve yet; null takes all.</summary>
    public IReadOnlySet<string>? AdmitOnly
    {
        get => _admitOnly;
        set => _admitOnly = value;
    }

    /// <summary>Requests admitted and not yet settled.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Checks the key and the room for one more request.</summary>
    /// <exception cref="GatewayException">The request may not go on.</exception>
    public Admission Admit(Exchange exchange, ReadOnlyMemory<char> key)
    {
        exchange.Key = Find(exchange, key);

        if (Interlocked.Increment(ref _running) > exchange.Catalog.Limits.ConcurrentRequestsMax)
        {
            Interlocked.Decrement(ref _running);
            throw new GatewayException(GatewayError.Overloaded);
        }

        return new Admission();
    }

    private ApiKey Find(Exchange exchange, ReadOnlyMemory<char> key)
    {
        if (_admitOnly is not { } apps)
        {
            return KeyCheck.Find(exchange.Catalog, key);
        }

        ApiKey? found;
        try
        {
            found = KeyCheck.Find(exchange.Catalog, key);
        }
        catch (GatewayException)
        {
            // Whoever asks too early, with whatever key, is told so: the key is judged once the gateway serves.
            found = null;
        }

        return found is not null && apps.Contains(found.App) ? found : throw new GatewayException(GatewayError.NotServing);
    }

    /// <summary>Checks the model against what the key may use, once the body is known.</summary>
    public static void Check(Exchange exchange, Model model)
    {
        if (exchange.Key.Models is { } models && !models.Contains(model.Name))
        {
            throw new GatewayException(GatewayError.ModelNotAllowed, param: "model");
        }
    }

    public void Settle(Admission? admission)
    {
        if (admission is not null && admission.TryRelease())
        {
            Interlocked.Decrement(ref _running);
        }
    }
}

/// <summary>What was taken for one request, to be given back exactly once.</summary>
public sealed class Admission
{
    private int _released;

    internal bool TryRelease() => Interlocked.Exchange(ref _released, 1) == 0;
}
