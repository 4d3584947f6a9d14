using Ballast.EndToEnd.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(SandboxFixture))]
[assembly: AssemblyFixture(typeof(GatewayFixture))]
