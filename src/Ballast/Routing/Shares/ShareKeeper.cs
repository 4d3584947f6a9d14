using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ballast.Routing.Shares;

/// <summary>
/// Beside the requests, once a second: takes up a policy that was put in force, keeps the last good one where the new one is faulty, saves the credits, and writes
/// down which rules were suspended.
/// </summary>
public sealed class ShareKeeper(
    ShareControl control, CatalogHolder catalog, PolicyFolder? folder, ShareSnapshotFile snapshots, IRelaxationStore relaxations, TimeProvider time, ILogger log) : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _reload = new();
    private Task _running = Task.CompletedTask;
    private string? _seen;
    private ComponentMap _components = ComponentMap.Plain;
    private double _savedTotal = -1;

    /// <summary>Takes up what is in force, with the credits that were saved, and begins to look after it.</summary>
    public void Start()
    {
        Reload(snapshots.Read());
        catalog.Reloaded += Rebind;
        _running = folder is null ? Task.CompletedTask : RunAsync();
    }

    /// <summary>One round.</summary>
    public void Tick()
    {
        if (folder is not null && folder.Look() != _seen)
        {
            Reload(saved: null);
        }

        IReadOnlyList<Relaxation> changes = control.TakeChanges();
        foreach (Relaxation change in changes)
        {
            if (change.IsOver)
            {
                log.RuleHolds(change.Rule, change.StartedAt, change.LastAt, change.Requests, change.Volume, change.CauseName);
            }
            else
            {
                log.RuleSuspended(change.Rule, change.StartedAt, change.CauseName);
            }
        }

        try
        {
            if (changes.Count > 0)
            {
                relaxations.Append(changes);
            }

            if (control.Save() is { } snapshot && snapshot.Buckets.Sum(static bucket => bucket.Total) is double total && total != _savedTotal)
            {
                snapshots.Write(snapshot);
                _savedTotal = total;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            log.SharesNotSaved(fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        catalog.Reloaded -= Rebind;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        control.CloseAll();
        if (folder is not null)
        {
            Tick();
        }

        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                Tick();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Reload(ShareSnapshot? saved)
    {
        if (folder is null)
        {
            return;
        }

        lock (_reload)
        {
            _seen = folder.Look();
            try
            {
                ComponentMap components = folder.ReadComponents(out _);
                PolicyActivation? active = folder.Current();
                PolicyOptions? options = Read(active);
                _components = components;
                Put(options, active, saved);
            }
            catch (Exception fault) when (fault is FormatException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                log.PolicyRefused(fault.Message);
            }
        }
    }

    private static PolicyOptions? Read(PolicyActivation? active)
    {
        if (active is null || active.Text.Trim().Length == 0)
        {
            return null;
        }

        PolicyLoadResult loaded = PolicyLoader.Load(active.Text, ComponentKindName.All);
        return loaded.Options ?? throw new FormatException(loaded.Faults.First(static fault => !fault.IsWarning).Print(active.Path));
    }

    private void Put(PolicyOptions? options, PolicyActivation? active, ShareSnapshot? saved)
    {
        if (options is null)
        {
            control.Activate(null);
            catalog.Restrict(null);
            return;
        }

        control.Activate(SharePolicy.Compile(options, active!.Digest, catalog.Current, _components), saved);
        catalog.Restrict(options.Residency.Count == 0 ? null : key => SharePolicy.Restrict(key, options));
        log.PolicyInForce(options.Name, options.Version, active.Digest);
    }

    /// <summary>The catalog has changed: groups and classes are worked out anew, credits stay.</summary>
    private void Rebind(CatalogSnapshot next)
    {
        if (control.Current is { } policy)
        {
            control.Activate(SharePolicy.Compile(policy.Options, policy.Digest, next, _components));
        }
    }
}
