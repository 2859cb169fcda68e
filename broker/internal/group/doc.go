// Package group keeps the membership of one consumer group, as Kafka's classic group coordinator does: who belongs to it,
// which generation they are in, who leads, and what the leader has assigned to whom.
//
// The main idea: a [Group] is a state machine without goroutine, clock or socket. Every verb of the protocol is an input,
// [Group.Join], [Group.Sync], [Group.Heartbeat], [Group.Leave], and so is the time, [Group.Tick]. A request whose answer
// depends on others (a Join waits until all members have joined, a Sync until the leader has assigned) leaves a function
// behind, which the input that settles it calls.
//
// A group goes round in a circle:
//
//	Empty ── join ──> PreparingRebalance ── all have joined ──> CompletingRebalance ── leader syncs ──> Stable
//	  ^                 |            ^                               |                                   |
//	  └─ nobody joined ─┘            └─────────── a member joins, leaves, or its session ends ───────────┘
//
// and from Empty it may go to Dead, which is the end.
//
// The caller's duties: one goroutine owns a Group and makes all calls. It calls Tick when [Group.Deadline] has come, with a
// time that never goes back. When [Group.Changed] says so after an input, it makes [Group.Snapshot] durable before it sends
// the answers of that input, so that after a crash [Restore] finds the members where they think they are.
//
// Where it differs from Kafka, for the better of the client and at no cost to another: a static member may come back to a full
// group; any request that a member may make renews its session; a request that a later one of the same member overtakes is
// answered, with REBALANCE_IN_PROGRESS; an invited client that leaves before it has joined does not make the others join again,
// and one that is turned away for want of room does not make them wait.
//
// What the package does not do: committed offsets ([Group.MayCommit] only says who may commit), the wire format, and the
// assignment itself, which is the leader's.
package group
