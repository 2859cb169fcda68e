package broker_test

import (
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker"
)

// A client that sends many requests and never reads a response takes little of the broker's memory.
func TestASlowReaderTakesLittle(t *testing.T) {
	b, want := withLargeTopic(t)
	before := heap()
	slow := ask(t, b.Addr(), 200)
	defer slow.Close()
	for range 5 { // meanwhile, another client reads everything five times
		if got := consume(t, b.Addr(), "large", want); len(got) != want {
			t.Errorf("another client reads %d records, want %d", len(got), want)
		}
	}
	if after := heap(); after > before+64<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", before, after)
	}
}

// Clients that disconnect in the middle of a response leave no memory in use.
func TestHalfReadAnswersAreGivenBack(t *testing.T) {
	b, want := withLargeTopic(t)
	for range 25 { // 25 clients with two responses of 7 MiB each need more than the broker's memory for responses
		client := ask(t, b.Addr(), 2)
		if _, err := io.ReadFull(client, make([]byte, 4)); err != nil {
			t.Error(err)
		}
		client.Close()
	}
	if got := consume(t, b.Addr(), "large", want); len(got) != want {
		t.Errorf("the next client reads %d records, want %d", len(got), want)
	}
}

// withLargeTopic starts a broker with a topic "large" that does not fit in one response.
func withLargeTopic(t *testing.T) (b *broker.Broker, records int) {
	t.Helper()
	b = start(t, broker.Config{AutoCreateTopics: true, Partitions: 1})
	records = 20
	random := randomBytes(rand.New(rand.NewPCG(1, 2)), 900<<10) // random, so that clients cannot compress it
	produce(t, b.Addr(), "large", slices.Repeat([]string{string(random)}, records)...)
	return b, records
}

// ask sends fetch requests for the large topic.
func ask(t *testing.T, address string, times int) net.Conn {
	t.Helper()
	req := fetchOf("large", 0)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	for i := range times {
		if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, int32(i))); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// fetchOf returns a fetch request for partition 0 of a topic from an offset on.
func fetchOf(topic string, offset int64) *kmsg.FetchRequest {
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.FetchOffset, rp.PartitionMaxBytes = offset, 50<<20
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.FetchRequestTopicPartition{rp}
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MinBytes, req.MaxBytes, req.SessionEpoch, req.Topics = 11, 1, 50<<20, -1, []kmsg.FetchRequestTopic{rt}
	return req
}
