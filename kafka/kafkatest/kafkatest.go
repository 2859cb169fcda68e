package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// Known maps subtests that a broker is known to fail, such as "transactions/abort is invisible", to the reason. They are
// skipped with that reason.
type Known map[string]string

// Run runs the suite. It calls dial once for each theme to get the configuration of a client. The broker must allow session
// timeouts of 100 ms and topics without replicas. It must not create topics automatically. It must check about once per
// second for logs to compact, old records to delete and transactions to abort.
func Run(t *testing.T, dial func(t *testing.T) kafka.Config, known ...Known) {
	for _, theme := range []theme{
		producing, recordBatches, idempotence, sequences,
		fetching, fetchAnswers, sessions, waiting,
		listOffsets, appendTime, compaction, retention,
		transactions, transactionProtocol, transactionOffsets, transactionStates, transactionVersion2, fencing,
		groups, groupProtocol, groupOffsets, groupListings,
		admin, topics, configs, cluster, versions, times,
	} {
		t.Run(theme.name, func(t *testing.T) {
			cfg := dial(t)
			for _, c := range theme.cases {
				t.Run(c.name, func(t *testing.T) {
					for _, k := range known {
						if why := k[theme.name+"/"+c.name]; why != "" {
							t.Skip("known to fail on this broker: " + why)
						}
					}
					t.Parallel() // the tests mostly wait
					c.run(newSubject(t, cfg))
				})
			}
		})
	}
}

type theme struct {
	name  string
	cases []testCase
}

type testCase struct {
	name string
	run  func(s *subject)
}

// subject is the broker under test and the client of one test.
type subject struct {
	*testing.T
	*kafka.Client
	cfg kafka.Config
	ctx context.Context // ends with the test, or after waitTimeout
}

const waitTimeout = 30 * time.Second

func newSubject(t *testing.T, cfg kafka.Config) *subject {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	t.Cleanup(cancel)
	client, err := kafka.Dial(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return &subject{T: t, Client: client, cfg: cfg, ctx: ctx}
}

// impatient is the same subject through a client that hardly retries, for errors that no retry mends.
func (s *subject) impatient() *subject {
	s.Helper()
	cfg := s.cfg
	cfg.RetryTimeout = 300 * time.Millisecond
	return newSubject(s.T, cfg)
}

var (
	names    atomic.Int64
	thisRun  = strconv.FormatInt(time.Now().UnixNano(), 36)
	dot      = []byte(".")
	allTypes = []string{"none", "gzip", "snappy", "lz4", "zstd"}
)

// unique returns a unique name that contains the name of the test.
func (s *subject) unique() string {
	test := s.Name()[strings.LastIndex(s.Name(), "/")+1:]
	return fmt.Sprintf("kafkatest-%s-%s-%05d", strings.ReplaceAll(test, ",", ""), thisRun, names.Add(1))
}

// must ends the test if err is not nil.
func (s *subject) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// wants checks that err is want.
func (s *subject) wants(want, err error, doing string) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v; want: %v", doing, err, want)
	}
}

// topic creates a topic and returns its name. Records are kept whatever their timestamps, unless config changes that.
func (s *subject) topic(partitions int32, config ...map[string]string) string {
	s.Helper()
	spec := kafka.TopicSpec{Name: s.unique(), Partitions: partitions, Config: map[string]string{"retention.ms": "-1"}}
	for _, c := range config {
		maps.Copy(spec.Config, c)
	}
	s.must(s.CreateTopics(s.ctx, spec))
	return spec.Name
}

// partition creates a topic and returns its only partition.
func (s *subject) partition(config ...map[string]string) kafka.TopicPartition {
	s.Helper()
	return kafka.TopicPartition{Topic: s.topic(1, config...)}
}

func (s *subject) producer(cfg kafka.ProducerConfig) *kafka.Producer {
	s.Helper()
	p, err := s.NewProducer(s.ctx, cfg)
	s.must(err)
	s.Cleanup(func() { p.Close() })
	return p
}

// transactional returns a producer with a unique transactional id.
func (s *subject) transactional() *kafka.Producer {
	s.Helper()
	return s.producer(kafka.ProducerConfig{TransactionalID: s.unique()})
}

func (s *subject) fetcher(cfg kafka.FetcherConfig) *kafka.Fetcher {
	f := s.NewFetcher(cfg)
	s.Cleanup(func() { f.Close() })
	return f
}

// send sends values with p and does not wait for acknowledgements.
func (s *subject) send(p *kafka.Producer, tp kafka.TopicPartition, values ...string) {
	s.Helper()
	for _, value := range values {
		s.must(p.Send(tp.Topic, tp.Partition, kafka.Record{Timestamp: time.Now().UnixMilli(), Value: []byte(value)}))
	}
}

// produce writes values outside of a transaction.
func (s *subject) produce(tp kafka.TopicPartition, values ...string) {
	s.Helper()
	p := s.producer(kafka.ProducerConfig{})
	s.send(p, tp, values...)
	s.must(p.Flush(s.ctx))
}

// write writes records outside of a transaction.
func (s *subject) write(tp kafka.TopicPartition, cfg kafka.ProducerConfig, records ...kafka.Record) error {
	s.Helper()
	p := s.producer(cfg)
	for _, r := range records {
		if err := p.Send(tp.Topic, tp.Partition, r); err != nil {
			return err
		}
	}
	return p.Flush(s.ctx)
}

// poll returns the next result for the only partition that f reads.
func (s *subject) poll(f *kafka.Fetcher) kafka.Fetched {
	s.Helper()
	for {
		fetched, err := f.Poll(s.ctx)
		s.must(err)
		if len(fetched) > 0 {
			return fetched[0]
		}
	}
}

// read returns the records of tp from offset to the end: the committed ones or, if cfg reads uncommitted records, all. next
// is the position after them.
func (s *subject) read(tp kafka.TopicPartition, offset int64, cfg kafka.FetcherConfig) (records []kafka.Record, next int64) {
	s.Helper()
	f := s.NewFetcher(cfg)
	defer f.Close()
	f.Add(tp, offset)
	for {
		got := s.poll(f)
		s.must(got.Err)
		records = append(records, got.Records...)
		end := got.LastStable
		if cfg.ReadUncommitted {
			end = got.HighWatermark
		}
		if got.Next >= end {
			return records, got.Next
		}
	}
}

// holds waits until no transaction is open, and checks the committed values of tp. The wait is necessary because a broker
// may report the end of a transaction slightly before readers can see it.
func (s *subject) holds(tp kafka.TopicPartition, values ...string) {
	s.Helper()
	s.settled(tp)
	s.holdsSoFar(tp, values...)
}

// holdsSoFar is like holds, but does not wait for open transactions.
func (s *subject) holdsSoFar(tp kafka.TopicPartition, values ...string) {
	s.Helper()
	records, _ := s.read(tp, 0, kafka.FetcherConfig{})
	s.sameValues(records, values)
}

// settled waits until no transaction is open in tp.
func (s *subject) settled(tp kafka.TopicPartition) {
	s.Helper()
	eventually(s, "no transaction is open", func() bool { return s.offset(tp, kafka.LatestStable) == s.offset(tp, kafka.Latest) })
}

// holdsUncommitted checks all values of tp, including uncommitted ones.
func (s *subject) holdsUncommitted(tp kafka.TopicPartition, values ...string) {
	s.Helper()
	records, _ := s.read(tp, 0, kafka.FetcherConfig{ReadUncommitted: true})
	s.sameValues(records, values)
}

func (s *subject) sameValues(records []kafka.Record, want []string) {
	s.Helper()
	var got []string
	for _, r := range records {
		got = append(got, string(r.Value))
	}
	if !slices.Equal(got, want) {
		s.Errorf("read %.200q, want %.200q", got, want)
	}
}

// offset returns the offset of a position in tp.
func (s *subject) offset(tp kafka.TopicPartition, at kafka.At) int64 {
	s.Helper()
	offsets, err := s.Offsets(s.ctx, []kafka.TopicPartition{tp}, at)
	s.must(err)
	return offsets[tp]
}

// isAt checks that a position in tp has offset want.
func (s *subject) isAt(tp kafka.TopicPartition, at kafka.At, want int64) {
	s.Helper()
	if got := s.offset(tp, at); got != want {
		s.Errorf("%v: %v is offset %d, want %d", tp, at, got, want)
	}
}

// committed returns the committed offset of group in tp.
func (s *subject) committed(group string, tp kafka.TopicPartition) (kafka.CommittedOffset, bool) {
	s.Helper()
	offsets, err := s.CommittedOffsets(s.ctx, group, []kafka.TopicPartition{tp})
	s.must(err)
	offset, ok := offsets[tp]
	return offset, ok
}

// hasCommitted checks that group has committed offset want in tp.
func (s *subject) hasCommitted(group string, tp kafka.TopicPartition, want int64) {
	s.Helper()
	if got, ok := s.committed(group, tp); !ok || got.Offset != want {
		s.Errorf("group %s has committed %d (%t) in %v, want %d", group, got.Offset, ok, tp, want)
	}
}

// at returns one offset in the form that commits take.
func at(tp kafka.TopicPartition, offset int64) map[kafka.TopicPartition]kafka.CommittedOffset {
	return map[kafka.TopicPartition]kafka.CommittedOffset{tp: {Offset: offset}}
}
