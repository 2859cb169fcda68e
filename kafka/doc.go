// Package kafka reads and writes a Kafka cluster the way a stream processor wants to: whole batches in, transactions out.
//
// The main idea: a stream task can always go back to its last commit. So this client need not hide trouble for long. It
// deals with what passes by itself, moved leaders, restarting brokers, lost answers; for the rest it tells exactly what
// happened, and the caller begins anew from the committed offsets. It speaks the protocol through the types and
// connections of github.com/IBM/sarama, which no other package imports, and leaves sarama's channels aside: records
// come and go in slices, and cost no lock, no channel and no allocation of their own.
//
// The shortest program reads a topic to its end and writes what it saw, with its position, in one transaction:
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
// The Example of the package is that program, complete.
//
// # Nouns
//
// A [Client] knows the cluster; it also asks and changes it: topics, offsets, groups. A [Fetcher] reads any number of
// partitions. A [Producer] writes, with or without transactions. A [Membership] makes this process a member of
// a group.
//
// # Who owns what
//
// A Client is shared by all goroutines. A Fetcher's methods may be called by several goroutines, Poll by one at a time.
// A Producer belongs to one goroutine. Each Fetcher, Producer and Membership has connections of its own, so that none waits
// for another's long request, and is closed before the Client.
//
// A call ends no later than its context. What was under way then is cut off by closing its connection, and an error that
// leaves open whether it took effect says so, with [ErrOutcomeUnknown].
//
// Records that Poll returns alias the buffer of the broker's answer: do not write to them, and know that a kept record
// keeps its buffer. Send copies.
//
// # What it does not do
//
// It does not create topics that are written to, partition by key unless asked to ([Partition]), fetch from followers,
// commit on its own, or repair a Producer: after ErrFenced, ErrProducerState and ErrOutcomeUnknown one makes a new one.
// It reads no batches older than those of Kafka 0.11, and it logs nothing.
package kafka
