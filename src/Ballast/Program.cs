using Ballast.Cli;
using Ballast.Ledger;

// The sockets' completions run where they arrive instead of hopping to the thread pool: the framework reads this switch once, when the first socket is made.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
SqliteLibrary.Provide();
return await CommandLine.RunAsync(args).ConfigureAwait(false);
