// Package engine is the log and the coordinators of the broker: it executes the requests of the Kafka protocol.
//
// The main idea: one goroutine owns the state and executes one piece of work after the other (engine.go). Its changes
// go into the open commit. Another goroutine makes commits durable (commit.go); only then are responses sent and do
// readers see the changes. All changes of one request are in one commit, so a crash keeps all of them or none.
//
// Handle receives a request in the goroutine of its connection. Work that needs no state, such as checking the records
// of a batch, is done there, and so is reading durable data, as Fetch and ListOffsets do. The coordinators are packages
// group and transaction: they make the decisions, given the time by the engine, and the engine writes and answers
// (groups.go, offsets.go, transaction.go). Retention and compaction have files of their own.
//
// The engine reads the clock through Config.Now only. Tickers and timers only trigger the checks.
package engine
