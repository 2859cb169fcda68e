package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const partitions = 3

// franz tests a broker with franz-go, using names unique to this run.
type franz struct {
	address, prefix string
	admin           *kadm.Client
}

func franzGo(c *checks, address, prefix string) {
	f := &franz{address: address, prefix: prefix}
	client, err := f.client()
	if err != nil {
		c.run("client", func(context.Context) error { return err })
		return
	}
	defer client.Close()
	f.admin = kadm.NewClient(client)
	c.run("topics", f.topics)
	c.run("configs", f.configs)
	for _, codec := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		name := codecNames[codec]
		c.run("records-"+name, func(ctx context.Context) error {
			return f.records(ctx, name, kgo.ProducerBatchCompression(codec), kgo.DisableIdempotentWrite())
		})
	}
	c.run("records-idempotent", func(ctx context.Context) error { return f.records(ctx, "idempotent") })
	c.run("offsets", f.offsets)
	c.run("delete-records", f.deleteRecords)
	c.run("groups", f.groups)
	c.run("member-dies", f.memberDies)
	c.run("transactions", f.transactions)
	c.run("exactly-once", f.exactlyOnce)
	c.run("fenced", f.fenced)
}

var codecNames = map[kgo.CompressionCodec]string{
	kgo.NoCompression():     "none",
	kgo.GzipCompression():   "gzip",
	kgo.SnappyCompression(): "snappy",
	kgo.Lz4Compression():    "lz4",
	kgo.ZstdCompression():   "zstd",
}

func (f *franz) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(f.address),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.RecordDeliveryTimeout(checkTimeout),
	}, opts...)...)
}

func (f *franz) create(ctx context.Context, name string, configs map[string]*string) (string, error) {
	topic := f.prefix + "-" + name
	return topic, f.createTopic(ctx, topic, configs)
}

func (f *franz) createTopic(ctx context.Context, topic string, configs map[string]*string) error {
	if _, err := f.admin.CreateTopic(ctx, partitions, 1, configs, topic); err != nil {
		return err
	}
	return eventually(topic+" is not there", func() bool { return f.partitionCount(ctx, topic) == partitions })
}

// partitionCount returns 0 for a topic that does not exist.
func (f *franz) partitionCount(ctx context.Context, topic string) int {
	topics, err := f.admin.ListTopics(ctx, topic)
	if err != nil || topics[topic].Err != nil {
		return 0
	}
	return len(topics[topic].Partitions)
}

func (f *franz) send(ctx context.Context, topic string, partition int32, values ...string) error {
	client, err := f.client()
	if err != nil {
		return err
	}
	defer client.Close()
	var records []*kgo.Record
	for _, v := range values {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)})
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

// read returns all values of the topic, partition after partition, read by assignment from the beginning.
func (f *franz) read(ctx context.Context, topic string, opts ...kgo.Opt) ([]string, error) {
	records, err := f.readRecords(ctx, topic, opts...)
	var values []string
	for _, r := range records {
		values = append(values, string(r.Value))
	}
	return values, err
}

func (f *franz) readRecords(ctx context.Context, topic string, opts ...kgo.Opt) ([]*kgo.Record, error) {
	ends, err := f.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	left, from := map[int32]int64{}, map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		from[o.Partition] = kgo.NewOffset().AtStart()
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	client, err := f.client(append(opts, kgo.KeepControlRecords(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var records []*kgo.Record
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return records, fmt.Errorf("%s: before the ends %v: %w", topic, left, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
			if r.Offset+1 >= left[r.Partition] { // markers have offsets too
				delete(left, r.Partition)
			}
		})
	}
	slices.SortStableFunc(records, func(a, b *kgo.Record) int { return cmp.Compare(a.Partition, b.Partition) })
	return records, nil
}

func (f *franz) topics(ctx context.Context) error {
	topic, err := f.create(ctx, "topics", nil)
	if err != nil {
		return err
	}
	if _, err := f.admin.CreateTopic(ctx, 1, 1, nil, topic); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("created twice: %w", err)
	}
	if _, err := f.admin.UpdatePartitions(ctx, 5, topic); err != nil {
		return err
	}
	if err := eventually("the topic did not get 5 partitions", func() bool { return f.partitionCount(ctx, topic) == 5 }); err != nil {
		return err
	}
	if err := f.send(ctx, topic, 4, "in the new one"); err != nil {
		return err
	}
	values, err := f.read(ctx, topic)
	if err != nil {
		return err
	}
	if _, err := f.admin.DeleteTopic(ctx, topic); err != nil {
		return err
	}
	err = eventually("the topic is listed after its deletion", func() bool { return f.partitionCount(ctx, topic) == 0 })
	return errors.Join(err, equal("values", values, []string{"in the new one"}))
}

func (f *franz) configs(ctx context.Context) error {
	topic, err := f.create(ctx, "configs", map[string]*string{"retention.ms": kadm.StringPtr("3600000")})
	if err != nil {
		return err
	}
	alter := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: kadm.StringPtr("compact")}}
	if _, err := f.admin.AlterTopicConfigs(ctx, alter, topic); err != nil {
		return err
	}
	err = eventually("cleanup.policy is not what it was set to", func() bool { return f.config(ctx, topic, "cleanup.policy") == "compact" })
	return errors.Join(err, equal("retention.ms, which was not touched", f.config(ctx, topic, "retention.ms"), "3600000"))
}

func (f *franz) config(ctx context.Context, topic, name string) string {
	described, err := f.admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return err.Error()
	}
	for _, c := range described[0].Configs {
		if c.Key == name {
			return c.MaybeValue()
		}
	}
	return "not described"
}

// records checks that keys, null values, headers and UTF-8 are returned unchanged, however they are batched.
func (f *franz) records(ctx context.Context, name string, opts ...kgo.Opt) error {
	topic, err := f.create(ctx, "records-"+name, nil)
	if err != nil {
		return err
	}
	client, err := f.client(append(opts, kgo.ProducerLinger(5*time.Millisecond))...)
	if err != nil {
		return err
	}
	defer client.Close()
	var sent []*kgo.Record
	for i := range 60 {
		n := strconv.Itoa(i)
		r := &kgo.Record{Topic: topic, Partition: int32(i % partitions), Key: []byte("key-" + n)}
		r.Headers = []kgo.RecordHeader{{Key: "n", Value: []byte(n)}}
		if i%10 != 0 {
			r.Value = []byte(strings.Repeat("ação "+n+" ", 20))
		}
		sent = append(sent, r)
	}
	if err := client.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		return err
	}
	got, err := f.readRecords(ctx, topic)
	if err != nil {
		return err
	}
	slices.SortStableFunc(sent, func(a, b *kgo.Record) int { return cmp.Compare(a.Partition, b.Partition) })
	return equal("records", content(got), content(sent))
}

func content(records []*kgo.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, fmt.Sprintf("%d/%d %q=%q null=%t %q", r.Partition, r.Offset, r.Key, r.Value, r.Value == nil, r.Headers))
	}
	return all
}

func (f *franz) offsets(ctx context.Context) error {
	topic, err := f.create(ctx, "offsets", nil)
	if err != nil {
		return err
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	defer client.Close()
	begin := time.Now().Truncate(time.Millisecond) // the client treats an old record as one that has waited too long
	for i := range 10 {
		r := &kgo.Record{Topic: topic, Timestamp: begin.Add(time.Duration(i) * time.Second), Value: []byte("v")}
		if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
			return err
		}
	}
	starts, err1 := f.admin.ListStartOffsets(ctx, topic)
	ends, err2 := f.admin.ListEndOffsets(ctx, topic)
	after, err3 := f.admin.ListOffsetsAfterMilli(ctx, begin.UnixMilli()+3500, topic)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	return equal("beginnings, ends, and first 3.5 s later or else the end", // kadm returns the end if there is none
		[]string{listed(starts, topic), listed(ends, topic), listed(after, topic)}, []string{"[0 0 0]", "[10 0 0]", "[4 0 0]"})
}

func listed(offsets kadm.ListedOffsets, topic string) string {
	var all []int64
	for p := range int32(partitions) {
		o, _ := offsets.Lookup(topic, p)
		all = append(all, o.Offset)
	}
	return fmt.Sprint(all)
}

func (f *franz) deleteRecords(ctx context.Context) error {
	topic, err := f.create(ctx, "delete-records", nil)
	if err != nil {
		return err
	}
	if err := f.send(ctx, topic, 0, "0", "1", "2", "3"); err != nil {
		return err
	}
	var before kadm.Offsets
	before.AddOffset(topic, 0, 2, -1)
	if _, err := f.admin.DeleteRecords(ctx, before); err != nil {
		return err
	}
	values, err := f.read(ctx, topic)
	return errors.Join(err, equal("values after deleting those before 2", values, []string{"2", "3"}))
}
