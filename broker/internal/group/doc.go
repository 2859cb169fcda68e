// Package group keeps the membership of one consumer group, as Kafka's classic group coordinator does: which members it
// has, their generation, the leader, and the assignment that the leader made.
//
// The main idea: a [Group] is a state machine without goroutine, clock or socket. Every request of the protocol is an
// input ([Group.Join], [Group.Sync], [Group.Heartbeat], [Group.Leave]), and so is the passing of time ([Group.Tick]). A
// request whose answer depends on others (a Join waits until all members have joined, a Sync until the leader has
// assigned) leaves a callback, which a later input calls.
//
// These are the states:
//
//	Empty ── join ──> PreparingRebalance ── all have joined ──> CompletingRebalance ── leader syncs ──> Stable
//	  ^                 |            ^                               |                                   |
//	  └─ nobody joined ─┘            └─────────── a member joins, leaves, or its session ends ───────────┘
//
// An Empty group may become Dead, which is final.
//
// The caller's duties: one goroutine owns a Group and makes all calls. It calls Tick when [Group.Deadline] has come,
// with a time that never goes back. If [Group.Changed] returns true after an input, it makes [Group.Snapshot] durable
// before it sends the answers of that input, so that after a crash [Restore] agrees with what the members were told.
//
// Differences from Kafka, all in the client's favour and at no cost to others: a static member may return to a full
// group; any request of a member renews its session; a request that a later one of the same member overtakes is
// answered with REBALANCE_IN_PROGRESS; an invited client that leaves before it has joined does not make the others join
// again, and one that is rejected because the group is full does not make them wait.
//
// What the package does not do: store committed offsets ([Group.MayCommit] only says who may commit), encode requests,
// or compute the assignment, which is the leader's task.
package group
