using Ballast.Catalog;

namespace Ballast.Routing.Shares;

/// <summary>What a policy knows of one model: the rules that concern it, its candidates' groups, its classes of requests, the usual length of its answers.</summary>
internal sealed class ModelShares(Model model, ulong rules, ulong[] members, double[]? weights)
{
    /// <summary>Sets of lawful deployments told apart; requests with further ones share the last one's weights.</summary>
    private const int ClassesMax = 32;

    private const double AnswerStart = 500;
    private const double AnswerLearning = 0.05;

    private readonly List<ShareClass> _classes = [];
    private long _learned;

    public ulong Rules { get; } = rules;

    /// <summary>Tokens that an answer usually has.</summary>
    public double Answer { get; private set; } = AnswerStart;

    public int CandidateCount => members.Length;

    public Deployment Candidate(int index) => model.Candidates[index].Deployment;

    public int IndexOf(Deployment deployment)
    {
        for (int index = 0; index < members.Length; index++)
        {
            if (ReferenceEquals(model.Candidates[index].Deployment, deployment))
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>The plain average at first, so that the start's guess is forgotten with the first answer; then the newer ones weigh more.</summary>
    public void Learn(double outputTokens) => Answer += Math.Max(AnswerLearning, 1.0 / ++_learned) * (outputTokens - Answer);

    public ShareClass ClassOf(ulong lawful)
    {
        for (int index = 0; index < _classes.Count; index++)
        {
            if (_classes[index].Lawful == lawful)
            {
                return _classes[index];
            }
        }

        ShareClass made = new(members, weights, lawful);
        if (_classes.Count < ClassesMax)
        {
            _classes.Add(made);
        }

        return made;
    }
}
