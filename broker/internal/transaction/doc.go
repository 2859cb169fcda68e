// Package transaction keeps the state of one transactional id, as Kafka's transaction coordinator does: which producer
// owns it, in which epoch, and what belongs to its transaction, if one is open.
//
// The main idea: a [Transaction] is a state machine without goroutine, clock or socket. Every request of the protocol
// is an input ([Transaction.Init], [Transaction.AddPartitions], [Transaction.AddGroup], [Transaction.End]), and so is
// the passing of time ([Transaction.TimeOut]). It decides, but writes nothing: an input that ends a transaction returns
// an [Ending], which the caller must write.
//
// These are the states:
//
//	          add                      commit
//	Empty ─────────> Ongoing ──────────────────────> Committed ──┐
//	  ^                ^  └── abort, timeout, init ─> Aborted ───┤
//	  │                └────────────────── add ──────────────────┤
//	  └───────────────────────── init ───────────────────────────┘
//
// It does not need Kafka's intermediate states, PrepareCommit and PrepareAbort, because the caller writes an Ending and
// the new state atomically.
//
// Fencing: a producer is identified by its id and its epoch, and epochs only grow. Initializing the transactional id
// returns the next epoch and fences all earlier producers. An abort that the producer did not request also increments
// the epoch, and its markers carry the new epoch, so that the partitions refuse batches still in flight.
//
// The caller's duties: one goroutine owns a Transaction and makes all calls. It executes an Ending and makes the
// snapshot of [Transaction.Unsaved] durable, atomically, before it answers. Periodically, with a time that never goes
// back, it times out transactions that are [Transaction.Overdue], and forgets those that are [Transaction.Expired]. The
// [Dialect] follows from the version of the request.
//
// Differences from Kafka, all in the client's favour: no request gets CONCURRENT_TRANSACTIONS, because a transaction
// ends at once; a producer that names the wrong predecessor is refused before, not after, the open transaction is
// aborted; and a request that arrives after the epoch it led to has been used is refused, where Kafka may apply it to a
// later transaction.
//
// What the package does not do: it knows partitions and groups by name only, not whether they exist or what was written
// to them. Sequence numbers belong to the partitions; package group decides who may commit offsets of a group.
package transaction
