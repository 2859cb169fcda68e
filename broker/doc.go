// Package broker is a Kafka broker inside the process: any Kafka client on the same machine can talk to it, and nothing needs
// to be installed.
//
// The main idea: a program, a test or a demonstration starts one with [Start], points its clients at [Broker.Addr], and
// changes nothing but that address when it moves to an Apache Kafka cluster. Without a data directory everything lives in
// memory and ends with the process; with one, topics, records, group members and offsets, producers and open transactions are
// there again after a restart, however the process ended.
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
// # What is promised
//
// A record that was acknowledged is there after kill -9, and with [Fsync] after a power cut, once. Records, the sequence
// numbers of their producer, the markers of a transaction and the offsets committed in it are written in one step: no
// transaction is ever half there, and no committed offset is ahead of its records. A transaction that is open when the broker
// is killed goes on after the restart, or is aborted when its time is over.
//
// When the disk becomes full the broker refuses records with KAFKA_STORAGE_ERROR, keeps serving what it has, and goes on when
// there is room. If the disk is too full to open the log, [Start] fails within seconds and says how much room it needs.
// Close waits a few seconds for a full disk and then gives up; the next start still has every acknowledged record.
//
// A checksum reveals a damaged byte. Reading its batch, or another batch in the same block of 4 KiB, fails with
// CORRUPT_MESSAGE; all other batches are served. [Check] finds more kinds of damage.
//
// # What is there
//
// Produce, Fetch with sessions, ListOffsets, Metadata, topics and their settings, DeleteRecords, consumer groups of the
// classic protocol with static members, idempotent and transactional producers in both versions of the protocol (KIP-890),
// retention, compaction, log-append time, all compressions, TLS, SASL PLAIN and SCRAM. Versions reach from those of Apache
// Kafka 4.4 down to the oldest that it still takes, so clients may be configured for any of them.
//
// Two things differ from Apache Kafka's defaults: records are kept for ever unless retention.ms or retention.bytes of their
// topic says otherwise, and a group member may ask for a session timeout of as little as 100 ms.
//
// # What is not there
//
// Several brokers and replication, ACLs and quotas, the consumer protocol of KIP-848, share groups, delegation tokens, tiered
// storage, altering the settings of the broker while it runs, compression.type other than producer, record formats before
// version 2 (Kafka 0.11). The broker does not list the requests for these in its ApiVersions. If a client
// sends one anyway, the broker disconnects it, as Kafka does, and logs that at most once a minute.
//
// The broker serves one machine, on loopback unless told otherwise. Who outgrows it points its clients at Apache Kafka.
package broker
