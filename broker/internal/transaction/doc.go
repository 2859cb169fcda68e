// Package transaction keeps one transactional id, as Kafka's transaction coordinator does: which producer owns it, in which
// epoch, and what belongs to its transaction, if one is open.
//
// The main idea: a [Transaction] is a state machine without goroutine, clock or socket. Every verb of the protocol is an input,
// [Transaction.Init], [Transaction.AddPartitions], [Transaction.AddGroup], [Transaction.End], and so is the time,
// [Transaction.TimeOut]. It decides and writes nothing: an input that ends a transaction returns an [Ending], which says what
// is to be written.
//
// A transaction goes round in a circle:
//
//	          add                      commit
//	Empty ─────────> Ongoing ──────────────────────> Committed ──┐
//	  ^                ^  └── abort, timeout, init ─> Aborted ──┤
//	  │                └────────────────── add ──────────────────┤
//	  └───────────────────────── init ───────────────────────────┘
//
// Kafka's states between, PrepareCommit and PrepareAbort, are not needed: the caller writes an Ending and the state at once.
//
// What fences: a producer is its id and its epoch, and epochs only grow. Whoever initializes the transactional id gets the next
// one; from then on the producers before are refused. An abort that the producer did not ask for takes an epoch as well, which
// goes into the markers, so that the partitions refuse its batches that are under way.
//
// The caller's duties: one goroutine owns a Transaction and makes all calls. It executes an Ending and makes the snapshot of
// [Transaction.Unsaved] durable in one step, before it answers. Now and then, with a time that never goes back, it times out what
// is [Transaction.Overdue], and forgets what is [Transaction.Expired]. Which [Dialect] a request speaks is in its version.
//
// Where it differs from Kafka, for the better of the client: nobody hears CONCURRENT_TRANSACTIONS, because a transaction ends at
// once; a producer that names the wrong predecessor is refused before, not after, the open transaction is aborted; and a request
// that comes late, after the epoch that it led to has been used, is refused, where Kafka may take it for a word on what came since.
//
// What the package does not do: it knows partitions and groups by name only, neither whether they exist nor what was written to
// them; sequence numbers belong to the partitions, and who may speak for a group to package group.
package transaction
