using Ballast.Ledger.Spool;
using Microsoft.Win32.SafeHandles;

namespace Ballast.Tests.Ledger.Spool;

/// <summary>
/// The real disk, that knows which sectors of it were flushed: a loss of power keeps those, and of the others any part. Sectors are 512 bytes; a sector is old or new.
/// </summary>
internal sealed class ForgetfulDisk(Random dice) : SpoolDisk
{
    private const int SectorBytes = 512;

    private readonly Lock _gate = new();
    private readonly Dictionary<SafeFileHandle, (string Name, byte[] Kept, byte[] Now, HashSet<long> Dirty)> _files = [];
    private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _writes;
    private int _target = int.MaxValue;

    /// <summary>Completes once so much was written, or soon after nothing more is.</summary>
    public Task AfterWritesAsync(int count)
    {
        lock (_gate)
        {
            _target = count;
            if (_writes >= count)
            {
                _enough.TrySetResult();
            }
        }

        return Task.WhenAny(_enough.Task, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System));
    }

    /// <summary>What a start after the loss finds.</summary>
    public void LosePower(string folder, string image)
    {
        Directory.CreateDirectory(image);
        lock (_gate)
        {
            foreach ((string name, byte[] kept, byte[] now, HashSet<long> dirty) in _files.Values)
            {
                byte[] left = [.. kept];
                foreach (long sector in dirty)
                {
                    if (dice.Next(2) == 0)
                    {
                        int from = (int)(sector * SectorBytes);
                        now.AsSpan(from, Math.Min(SectorBytes, now.Length - from)).CopyTo(left.AsSpan(from));
                    }
                }

                if (File.Exists(Path.Combine(folder, name)))
                {
                    File.WriteAllBytes(Path.Combine(image, name), left);
                }
            }
        }
    }

    public override SafeFileHandle Create(string path, int length)
    {
        SafeFileHandle file = base.Create(path, length);
        lock (_gate)
        {
            _files.Add(file, (Path.GetFileName(path), new byte[length], new byte[length], []));
        }

        return file;
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long at)
    {
        base.Write(file, bytes, at);
        lock (_gate)
        {
            (_, _, byte[] now, HashSet<long> dirty) = _files[file];
            bytes.CopyTo(now.AsSpan((int)at));
            for (long sector = at / SectorBytes; sector <= (at + bytes.Length - 1) / SectorBytes; sector++)
            {
                dirty.Add(sector);
            }

            if (++_writes >= _target)
            {
                _enough.TrySetResult();
            }
        }
    }

    public override void Flush(SafeFileHandle file)
    {
        // A real flush is not needed: what it would do is written down below.
        lock (_gate)
        {
            (_, byte[] kept, byte[] now, HashSet<long> dirty) = _files[file];
            foreach (long sector in dirty)
            {
                int from = (int)(sector * SectorBytes);
                now.AsSpan(from, Math.Min(SectorBytes, now.Length - from)).CopyTo(kept.AsSpan(from));
            }

            dirty.Clear();
        }
    }
}
