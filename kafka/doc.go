// Package kafka reads and writes a Kafka cluster for a stream processor: it returns records in batches and writes them
// in transactions.
//
// The main idea: a stream task can always go back to its last commit, so this client need not hide failures for long.
// It retries what is temporary (moved leaders, restarting brokers, lost answers) and reports everything else exactly;
// the caller then restarts from the committed offsets. It uses the protocol types and connections of
// github.com/IBM/sarama, which no other package imports, but not sarama's channels: records travel in slices, without a
// lock, a channel operation or an allocation per record.
//
// The shortest program reads a topic to its end and writes what it read, with its position, in one transaction:
//
//	client, err := kafka.Dial(ctx, kafka.Config{Brokers: []string{"127.0.0.1:9092"}})
//	...
//	producer, err := client.NewProducer(ctx, kafka.ProducerConfig{TransactionalID: "copier"})
//	fetcher := client.NewFetcher(kafka.FetcherConfig{})
//	fetcher.Add(in, 0)
//	for {
//		fetched, err := fetcher.Poll(ctx)
//		...
//		for _, f := range fetched {
//			for _, r := range f.Records {
//				producer.Send("out", 0, r)
//			}
//			producer.SendOffsets(ctx, group, map[kafka.TopicPartition]kafka.CommittedOffset{in: {Offset: f.Next}})
//			producer.Commit(ctx)
//		}
//	}
//
// The Example of the package is the complete program.
//
// # Types
//
// A [Client] is connected to a cluster. It also reads and changes topics, offsets and groups. A [Fetcher] reads any
// number of partitions. A [Producer] writes, with or without transactions. A [Membership] makes this process a member
// of a group.
//
// # Concurrency
//
// A Client is shared by all goroutines. A Fetcher's methods may be called by several goroutines, Poll by one at a time.
// A Producer belongs to one goroutine. Each Fetcher, Producer and Membership has its own connections, so that none
// waits for another's long request. Close them before the Client.
//
// A call ends no later than its context. Ending the context closes the connection of a request in flight. If the
// request may still have taken effect, the error is [ErrOutcomeUnknown].
//
// Records returned by Poll alias the buffer of the broker's answer: do not write to them; a record that you keep keeps
// the whole buffer alive. Send copies its arguments.
//
// # What it does not do
//
// It does not create topics on write, choose partitions by key ([Partition] does that), fetch from followers, commit on
// its own, or repair a Producer: after ErrFenced, ErrProducerState and ErrOutcomeUnknown, make a new one. It does not
// read batches older than those of Kafka 0.11, and it does not log.
package kafka
