// Package crashtest kills brokers. Its tests run a broker in a process of its own, put it under load, end it with kill -9 at
// random moments, start it again on what it left, and hold it to its word.
//
// The main idea: a ledger notes what the broker acknowledged while clients work that retry for ever and live through the
// kills. After each kill the clients come to rest, and fresh clients read everything. The verdict compares the two:
//
//   - an acknowledged record is at its offset, once; the records of a producer have no gap and no double;
//   - a transaction is visible in all partitions and in its group's offsets, or in none;
//   - what a read_committed client sees is what the markers in the log say, and no transaction is left open;
//   - a group's offset is what was acknowledged, or what was asked for and not answered;
//   - a client that read all the while saw exactly the log, in its order.
//
// Kills are random in the work that is acknowledged, or in how far a start has come, never in time; the seed is logged.
// The short run belongs to the ordinary tests. The long one:
//
//	go test ./broker/crashtest -run Kill -kills 200 -timeout 60m -v
//
// With -artifacts the data directory and the logs of the broker and of the clients are kept. With -command another broker
// than Rio's is killed: a sound one shows that the test raises no false alarm.
//
// What the package does not do: it does not cut power. What was written and not synced survives a kill, so a missing sync
// is not found here; [TestGarbledTail] and [TestPowerCut] damage the write-ahead log by hand. There is nothing in it to import.
package crashtest
