namespace PgFlow.Workflows.Recovery;

/// <summary>How a failover's loss is said to people.</summary>
internal static class LossText
{
    public static string Of(NodeId lost, NodeId winner, Loss loss) =>
        loss switch
        {
            { Bytes: null } => $"what {lost} had written that {winner} never received is unknown: {loss.Unknown}",
            { Bytes: 0 } => $"nothing was lost: {winner} had all of {lost}'s WAL",
            { Bytes: { } bytes } => $"{lost} had written {PgFlowText.Bytes(bytes)} with "
                + $"{PgFlowText.Count(loss.Transactions ?? 0, "commit")} that {winner} never received; "
                + $"they are in {lost}'s volume until it is rewound",
        };
}
