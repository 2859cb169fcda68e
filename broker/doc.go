// Package broker is a Kafka broker inside the process: any Kafka client on the same machine can connect to it, and
// nothing needs to be installed.
//
// The main idea: a program, a test or a demonstration starts a broker with [Start] and connects its clients to
// [Broker.Addr]. To move to an Apache Kafka cluster, only that address changes. Without a data directory everything is
// kept in memory and is gone when the process ends. With one, topics, records, group members and offsets, producers and
// open transactions are restored after a restart, however the process ended.
//
//	b, err := broker.Start(broker.Config{DataDir: "./data", Listen: "127.0.0.1:9092"})
//	if err != nil {
//		return err
//	}
//	defer b.Close()
//	fmt.Println("brokers:", b.Addr())
//
// A Broker owns its listener, its connections and its data directory, which it locks against other processes. Start,
// Addr and Close may be called from any goroutine; calling Close twice is harmless.
//
// # Guarantees
//
// An acknowledged record survives kill -9 and, with [Fsync], a power failure, and is stored once. Records, the sequence
// numbers of their producer, transaction markers and the offsets committed in a transaction are written atomically: no
// transaction is ever half committed, and no committed offset is ahead of its records. A transaction that is open when
// the broker is killed continues after the restart, or is aborted when it times out.
//
// When the disk is full, the broker refuses records with KAFKA_STORAGE_ERROR, keeps serving reads, and accepts records
// again once there is space. If the disk is too full to open the log, [Start] fails within seconds and says how much
// space it needs. Close waits a few seconds for space on a full disk and then gives up; the next start still has every
// acknowledged record.
//
// Checksums reveal damaged bytes. Reading a damaged batch, or another batch in the same block of 4 KiB, fails with
// CORRUPT_MESSAGE; all other batches are served. [Check] finds more kinds of damage.
//
// # What is supported
//
// Produce, Fetch with sessions, ListOffsets, Metadata, topics and their settings, DeleteRecords, consumer groups of the
// classic protocol with static members, idempotent and transactional producers in both versions of the protocol
// (KIP-890), retention, compaction, log-append time, all compressions, TLS, SASL PLAIN and SCRAM. Request versions
// range from those of Apache Kafka 4.4 down to the oldest that it accepts, so clients may be configured for any of
// them.
//
// Two defaults differ from Apache Kafka's: records are kept forever unless retention.ms or retention.bytes of their
// topic says otherwise, and a group member may request a session timeout of as little as 100 ms.
//
// # What is not supported
//
// Several brokers and replication, ACLs and quotas, the consumer protocol of KIP-848, share groups, delegation tokens,
// tiered storage, altering the settings of the running broker, compression.type other than producer, record formats
// before version 2 (Kafka 0.11). The broker does not list the requests for these in its ApiVersions. If a client sends
// one anyway, the broker disconnects it, as Kafka does, and logs that at most once a minute.
//
// The broker serves one machine, on loopback by default. To outgrow it, connect the clients to Apache Kafka.
package broker
