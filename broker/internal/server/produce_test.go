package server

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const firstProduce, lastProduce = 3, 13

// colours returns a request with all features: several topics and partitions, empty and null records, a topic without
// partitions, unknown tags.
func colours(version int16) *kmsg.ProduceRequest {
	transaction := "painter"
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.TransactionID, req.Acks, req.TimeoutMillis = version, &transaction, -1, 1500
	req.Topics = []kmsg.ProduceRequestTopic{
		{Partitions: []kmsg.ProduceRequestTopicPartition{
			{Partition: 0, Records: []byte("red")},
			{Partition: 1, Records: []byte{}},
			{Partition: 1 << 20, Records: nil},
		}},
		{},
		{Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: -1, Records: bytes.Repeat([]byte("green"), 100)}}},
	}
	for i := range req.Topics {
		if version < 13 {
			req.Topics[i].Topic = strings.Repeat("paint", 40*i)
		} else {
			req.Topics[i].TopicID = [16]byte{byte(i), 15: 9}
		}
	}
	req.UnknownTags.Set(0, nil)
	req.UnknownTags.Set(1<<31, []byte("bright"))
	req.Topics[0].UnknownTags.Set(300, []byte("dark"))
	req.Topics[0].Partitions[0].UnknownTags.Set(7, make([]byte, 200))
	return req
}

// common returns a typical request: a batch for one partition.
func common(version int16) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = version, -1
	topic := kmsg.ProduceRequestTopic{Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: 3, Records: make([]byte, 1000)}}}
	if version < 13 {
		topic.Topic = "colours"
	} else {
		topic.TopicID = [16]byte{1, 2, 3}
	}
	req.Topics = append(req.Topics, topic)
	return req
}

// ours decodes a request with readProduce, theirs with kmsg.
func ours(version int16, body []byte) (*kmsg.ProduceRequest, error) {
	req := kmsg.NewPtrProduceRequest()
	req.Version = version
	return req, readProduce(req, body)
}

func theirs(version int16, body []byte) (*kmsg.ProduceRequest, error) {
	req := kmsg.NewPtrProduceRequest()
	req.Version = version
	return req, req.ReadFrom(body)
}

var ignoreTags = cmpopts.IgnoreTypes(kmsg.Tags{})

func TestProduceIsReadAsByKmsg(t *testing.T) {
	for version := int16(firstProduce); version <= lastProduce; version++ {
		for name, body := range map[string][]byte{
			"everything":     colours(version).AppendTo(nil),
			"common":         common(version).AppendTo(nil),
			"nothing":        (&kmsg.ProduceRequest{Version: version}).AppendTo(nil),
			"trailing bytes": append(colours(version).AppendTo(nil), "more"...),
		} {
			t.Run(fmt.Sprintf("version %d, %s", version, name), func(t *testing.T) {
				want, err := theirs(version, body)
				if err != nil {
					t.Fatal(err)
				}
				got, err := ours(version, body)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, ignoreTags); diff != "" {
					t.Errorf("-kmsg +ours:\n%s", diff)
				}
			})
		}
	}
}

func TestProduceThatIsCutOffIsRefused(t *testing.T) {
	for version := int16(firstProduce); version <= lastProduce; version++ {
		body := colours(version).AppendTo(nil)
		for n := range body {
			if _, err := theirs(version, body[:n]); err == nil {
				t.Fatalf("version %d: kmsg accepts a request cut to %d of %d bytes", version, n, len(body))
			}
			if _, err := ours(version, body[:n]); err == nil {
				t.Errorf("version %d: a request cut to %d of %d bytes is accepted", version, n, len(body))
			}
		}
	}
}

// Records are slices of the frame that cannot be appended to. Names are copies, so they do not keep the frame in
// memory.
func TestRecordsAreNotCopied(t *testing.T) {
	want := colours(9)
	body := want.AppendTo(nil)
	got, err := ours(9, body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if *got.TransactionID != "painter" || got.Topics[2].Topic != want.Topics[2].Topic {
		t.Errorf("transactional id %q and topic %q share memory with the frame", *got.TransactionID, got.Topics[2].Topic)
	}
	red := got.Topics[0].Partitions[0].Records
	if !bytes.Equal(red, make([]byte, 3)) || cap(red) != 3 {
		t.Errorf("records %q with capacity %d are not a slice of the frame", red, cap(red))
	}
}

func TestCommonProduceTakesLittle(t *testing.T) {
	for version, want := range map[int16]float64{3: 3, 8: 3, 9: 3, 12: 3, 13: 2} { // allocations for topics, partitions, and a name
		body := common(version).AppendTo(nil)
		req := kmsg.NewPtrProduceRequest()
		req.Version = version
		got := testing.AllocsPerRun(100, func() {
			if err := readProduce(req, body); err != nil {
				t.Fatal(err)
			}
		})
		if got > want {
			t.Errorf("version %d: %v allocations, want %v", version, got, want)
		}
	}
}

// start8 and start9 are the bytes before the list of topics, up to version 8 and from version 9 on.
var (
	start8 = []byte{0xff, 0xff, 0, 1, 0, 0, 5, 220}
	start9 = []byte{0, 0, 1, 0, 0, 5, 220}
)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func uvarint(v uint64) []byte { return binary.AppendUvarint(nil, v) }

func int32s(v int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func TestProduceThatLiesIsRefused(t *testing.T) {
	id := make([]byte, 16)
	for _, c := range []struct {
		name    string
		version int16
		body    []byte
		want    string
	}{
		{"no acks", 3, []byte{0xff, 0xff, 0}, "acks: the request claims 2 bytes, but 1 are left"},
		{"long transactional id", 3, []byte{0, 9, 'x'}, "transactional id: the request claims 9 bytes, but 1 are left"},
		{"long transactional id", 9, []byte{10, 'x'}, "transactional id: the request claims 9 bytes, but 1 are left"},
		{"many topics", 8, join(start8, int32s(3), make([]byte, 17)), "topics: the request claims 3 of at least 6 bytes each, but 17 bytes are left"},
		{"many topics", 9, join(start9, uvarint(4), make([]byte, 8)), "topics: the request claims 3 of at least 3 bytes each, but 8 bytes are left"},
		{
			"many topics", 13, join(start9, uvarint(4), make([]byte, 53)),
			"topics: the request claims 3 of at least 18 bytes each, but 53 bytes are left",
		},
		{"the most topics", 8, join(start8, int32s(1<<31-1)), "topics: the request claims 2147483647 of at least 6 bytes each, but 0 bytes are left"},
		{"the most topics", 9, join(start9, uvarint(1<<32-1)), "topics: the request claims 4294967294 of at least 3 bytes each, but 0 bytes are left"},
		{"null topics", 8, join(start8, int32s(-1)), "topics: null"},
		{"negative topics", 8, join(start8, int32s(-1<<31)), "topics: null"},
		{"null topics", 9, join(start9, uvarint(0), uvarint(0)), "topics: null"},
		{"topics beyond 32 bits", 9, join(start9, uvarint(1<<32), uvarint(0)), "topics: not a number of up to 32 bits, with 6 bytes left"},
		{"endless number", 9, join(start9, bytes.Repeat([]byte{0x80}, 12)), "topics: not a number of up to 32 bits, with 12 bytes left"},
		{
			"one in six bytes", 9, join(start9, []byte{0x81, 0x80, 0x80, 0x80, 0x80, 0}, uvarint(0)),
			"topics: not a number of up to 32 bits, with 7 bytes left",
		},
		{"null name", 8, join(start8, int32s(1), []byte{0xff, 0xff}, int32s(0)), "topic 0: name: null"},
		{"null name", 9, join(start9, uvarint(2), uvarint(0), uvarint(1), uvarint(0)), "topic 0: name: null"},
		{
			"many partitions", 8, join(start8, int32s(1), []byte{0, 1, 'a'}, int32s(2), make([]byte, 15)),
			"topic 0: partitions: the request claims 2 of at least 8 bytes each, but 15 bytes are left",
		},
		{
			"many partitions", 13, join(start9, uvarint(2), id, uvarint(3), make([]byte, 11)),
			"topic 0: partitions: the request claims 2 of at least 6 bytes each, but 11 bytes are left",
		},
		{
			"null partitions", 8, join(start8, int32s(2), []byte{0, 1, 'a'}, int32s(0), []byte{0, 1, 'b'}, int32s(-7)),
			"topic 1: partitions: null",
		},
		{
			"long records", 8, join(start8, int32s(1), []byte{0, 1, 'a'}, int32s(2), int32s(5), int32s(0), int32s(6), int32s(999), []byte("red")),
			"topic 0: partition 1: records: the request claims 999 bytes, but 3 are left",
		},
		{
			"long records", 13, join(start9, uvarint(2), id, uvarint(2), int32s(0), uvarint(1<<32-1), []byte("red")),
			"topic 0: partition 0: records: the request claims 4294967294 bytes, but 3 are left",
		},
		{
			"many tags", 9, join(start9, uvarint(2), []byte{2, 'a'}, uvarint(1), uvarint(2), []byte{9}),
			"topic 0: tags: the request claims 2, but 1 bytes are left",
		},
		{"the most tags", 9, join(start9, uvarint(1), uvarint(1<<32-1), []byte("abc")), "tags: the request claims 4294967295, but 3 bytes are left"},
		{"long tag", 9, join(start9, uvarint(1), uvarint(1), []byte{7, 4, 'a', 'b', 'c'}), "tag: the request claims 4 bytes, but 3 are left"},
	} {
		t.Run(fmt.Sprintf("version %d, %s", c.version, c.name), func(t *testing.T) {
			req, err := ours(c.version, c.body)
			if err == nil {
				t.Fatalf("read as %+v", req)
			}
			if err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// flood is a request of version 9 that repeats the same bytes as often as the length of a list says.
func flood(times int, part []byte) []byte {
	return join(start9, uvarint(uint64(times)+1), bytes.Repeat(part, times), uvarint(0))
}

func TestBoundsOfProduce(t *testing.T) {
	long := strings.Repeat("x", maxNames/2)
	named := func(name string) []byte {
		return join(uvarint(uint64(len(name))+1), []byte(name), uvarint(1), uvarint(0))
	}
	topic := named("")
	partitioned := join(uvarint(1), uvarint(2), int32s(0), uvarint(0), uvarint(0), uvarint(0)) // with one partition
	for _, c := range []struct {
		name string
		body []byte
		want string // "" when it is accepted
	}{
		{"the most topics", flood(maxEntries, topic), ""},
		{"a topic more", flood(maxEntries+1, topic), "topics: more than 20000 topics and partitions in one request"},
		{"the most partitions", flood(maxEntries/2, partitioned), ""},
		{
			"a partition more", flood(maxEntries/2+1, partitioned),
			"topic 9999: partitions: more than 20000 topics and partitions in one request",
		},
		{"the longest names", flood(2, named(long)), ""},
		{"a longer name", flood(3, named(long)), "topic 2: name: more than 4194304 bytes of names in one request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := theirs(9, c.body); err != nil {
				t.Fatalf("kmsg: %v", err)
			}
			_, err := ours(9, c.body)
			if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// Decoding a request, valid or not, takes little memory in addition to its bytes.
func TestHostileProduceTakesLittle(t *testing.T) {
	const much, most = 14 << 20, 3 * maxOtherFrame
	name := join(uvarint(41), bytes.Repeat([]byte("n"), 40))
	zeros := make([]byte, much)
	list := join([]byte{2, 'a'}, uvarint(1001), bytes.Repeat([]byte{0, 0, 0, 9, 1, 0}, 1000), uvarint(0))
	for what, body := range map[string][]byte{
		"topics of nothing":       join(start9, uvarint(much/3), zeros),
		"topics within the bound": flood(maxEntries, join(name, uvarint(1), uvarint(0))),
		"topics with partitions":  flood(maxEntries/2, join(name, uvarint(2), int32s(0), uvarint(0), uvarint(0), uvarint(0))),
		"partitions of nothing":   join(start9, uvarint(2), []byte{2, 'a'}, uvarint(much/6), zeros),
		"one list after another":  flood(maxEntries/1001, list),
		"a long name":             join(start9, uvarint(2), uvarint(much+1), zeros, uvarint(1), uvarint(0), uvarint(0)),
		"a long transaction":      join(uvarint(much+1), zeros, start9[1:], uvarint(1), uvarint(0)),
		"many tags":               join(start9, uvarint(1), uvarint(much/32), zeros[:much/16]),
	} {
		t.Run(what, func(t *testing.T) {
			took := allocated(func() { _, _ = ours(9, body) })
			t.Logf("%d bytes of memory for a request of %d", took, len(body))
			if took > most {
				t.Errorf("takes %d bytes, want at most %d", took, most)
			}
		})
	}
	body := flood(much/3, join(uvarint(1), uvarint(1), uvarint(0)))
	if took := allocated(func() { _, _ = theirs(9, body) }); took < 2*most {
		t.Errorf("kmsg takes %d bytes only: is readProduce needed?", took)
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// stricter returns the errors for requests that kmsg may accept. kmsg treats a length of 2^31 or more as negative,
// which means null.
var stricter = regexp.MustCompile(`(topics|partitions): null|more than|[2-4]\d{9} .*claimed`)

// readProduce accepts the same requests as kmsg, with the same result, except for the cases in stricter.
func FuzzProduce(f *testing.F) {
	for version := int16(firstProduce); version <= lastProduce; version++ {
		f.Add(version, colours(version).AppendTo(nil))
		f.Add(version, common(version).AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, version int16, body []byte) {
		version = firstProduce + int16(uint16(version)%(lastProduce-firstProduce+1))
		got, err := ours(version, body)
		if err != nil && stricter.MatchString(err.Error()) {
			return
		}
		want, theirErr := theirs(version, body)
		if (err == nil) != (theirErr == nil) {
			t.Fatalf("version %d: error %v, kmsg: %v", version, err, theirErr)
		}
		if diff := cmp.Diff(want, got, ignoreTags); err == nil && diff != "" {
			t.Errorf("version %d, -kmsg +ours:\n%s", version, diff)
		}
	})
}

func BenchmarkProduce(b *testing.B) {
	for _, version := range []int16{7, 12, 13} {
		body := common(version).AppendTo(nil)
		for name, read := range map[string]func(int16, []byte) (*kmsg.ProduceRequest, error){"ours": ours, "kmsg": theirs} {
			b.Run(fmt.Sprintf("version=%d/%s", version, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := read(version, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
