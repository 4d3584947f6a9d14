namespace Ballast.Balance;

/// <summary>The three declared rows of one vendor or platform.</summary>
public sealed record DeclaredProfile(
    string Name, bool IsVendor, bool IsPlatform, DeclaredFact EnterpriseIntegration, DeclaredFact SafetyApproach, DeclaredFact Ecosystem);
