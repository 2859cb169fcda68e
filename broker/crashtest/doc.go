// Package crashtest tests that a broker loses nothing when it is killed. Its tests run a broker in a process of its own under
// load, end it with kill -9 at random moments, restart it, and check the log.
//
// A ledger records what the broker acknowledged. The clients retry for ever, so they survive the kills. After each kill the
// clients pause, and new clients read everything. The verdict compares the log with the ledger:
//
//   - an acknowledged record is at its offset, once; the records of a producer have no gaps and no duplicates;
//   - a transaction is visible in all partitions and in its group's offsets, or in none;
//   - a read_committed client sees the records that the markers in the log commit, and no transaction is left open;
//   - a group's offset is the last acknowledged one, or one that was requested later and not acknowledged;
//   - a client that was reading all the time has seen exactly the log, in order.
//
// The moment of a kill is chosen by the amount of acknowledged work, or by the progress of a start, never by time. The seed is
// logged. A short run is part of the ordinary tests. A long run:
//
//	go test ./broker/crashtest -run Kill -kills 200 -timeout 60m -v
//
// With -artifacts, the data directory and the logs of the broker and the clients are kept. With -command, another broker is
// tested; a correct one shows that the test has no false positives.
//
// The package does not simulate power cuts by kills: unsynced writes survive a kill, so a missing sync is not found.
// [TestGarbledTail] and [TestPowerCut] damage the write-ahead log instead. The package has no exported names.
package crashtest
