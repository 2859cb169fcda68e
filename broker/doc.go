// Package broker runs a Kafka broker inside the process: any Kafka client on the same machine can talk to it, and nothing
// needs to be installed.
//
// The main idea: a program, a test or a demonstration starts one with [Start], points its clients at [Broker.Addr], and
// changes nothing but that address when it moves to an Apache Kafka cluster. Without a data directory everything lives in
// memory and ends with the process; with one, topics, records, group offsets and transactions are there again after a
// restart.
//
//	b, err := broker.Start(broker.Config{DataDir: "./data", Listen: "127.0.0.1:9092"})
//	if err != nil {
//		return err
//	}
//	defer b.Close()
//	fmt.Println("brokers:", b.Addr())
//
// Who owns what: a Broker owns its listener, its connections and its data directory, which a lock file keeps other
// processes out of. Start, Addr and Close may be called from any goroutine; Close twice is harmless.
//
// # What does the work, and what it does not promise
//
// The work behind Start is done by kfake (github.com/twmb/franz-go/pkg/kfake) for now. It speaks the protocol well, but it
// is a fake made for tests, so after a kill -9 or a power cut these promises do not hold, not even with [Config.Sync]:
//
//   - A transaction that was open or ending may come back torn: committed on one partition and aborted on another, or with
//     its records and without its group offsets.
//   - A producer's sequence window may be lost, so that the retry of an unanswered batch is appended twice, or a living
//     producer hears OUT_OF_ORDER_SEQUENCE_NUMBER.
//   - A record that was damaged on disk is dropped, and whatever follows it in the same file, with a line in the log only.
//
// A clean [Broker.Close] keeps everything. Whoever needs more today runs Apache Kafka.
//
// The cleaner does not run: topics may be created with cleanup.policy=compact or with retention, and are described so, but
// nothing is ever compacted or deleted by age or size. (kfake's compaction drops committed records while a transaction is
// open; a log that is too long is the smaller evil.) DeleteRecords and DeleteTopics work.
//
// The next engine keeps the log in pebble, one atomic batch for whatever belongs together; it closes the list above and
// brings the cleaner. The API of this package, and the lock file, stay; the data directory will not be taken over.
//
// What the package does not do: several brokers, replication, TLS, SASL, ACLs. It serves one machine, on loopback unless
// told otherwise.
package broker
