using Ballast.Ledger.Spool;
using Microsoft.Win32.SafeHandles;

namespace Ballast.Tests.Ledger.Spool;

/// <summary>The real disk, but it refuses when told to.</summary>
internal sealed class FaultyDisk : SpoolDisk
{
    private readonly List<SafeFileHandle> _refused = [];
    private readonly List<SafeFileHandle> _flushed = [];
    private int _flushesToFail;
    private int _filesLeft = int.MaxValue;

    public int FlushesToFail { get => Volatile.Read(ref _flushesToFail); set => Volatile.Write(ref _flushesToFail, value); }

    public int FilesLeft { get => Volatile.Read(ref _filesLeft); set => Volatile.Write(ref _filesLeft, value); }

    /// <summary>How often a file that refused a flush was asked in all: once, and never again.</summary>
    public int FlushesAfterFailure(int files)
    {
        lock (_flushed)
        {
            Assert.Equal(files, _refused.Distinct().Count());
            return _refused.Max(file => _flushed.Skip(_flushed.LastIndexOf(file)).Count(other => other == file));
        }
    }

    public override SafeFileHandle Create(string path, int length)
    {
        if (Interlocked.Decrement(ref _filesLeft) < 0)
        {
            Interlocked.Increment(ref _filesLeft);
            throw new IOException("No space left on device");
        }

        return base.Create(path, length);
    }

    public override void Flush(SafeFileHandle file)
    {
        lock (_flushed)
        {
            Assert.DoesNotContain(file, _refused);
            _flushed.Add(file);
            if (FlushesToFail > 0)
            {
                FlushesToFail--;
                _refused.Add(file);
                throw new IOException("Input/output error");
            }
        }

        base.Flush(file);
    }
}
