package broker_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker"
)

// A byte of a record is flipped on disk. Records before and after it can be read; at its offset, clients and Check get
// an error.
//
// Proves: damage-is-found
func TestAFlippedByteIsSaidAtItsOffset(t *testing.T) {
	dir := t.TempDir()
	cfg := broker.Config{DataDir: dir, AutoCreateTopics: true, Partitions: 1}
	dice := rand.New(rand.NewPCG(1, 2))
	values := make([]string, 5)
	for i := range values {
		values[i] = string(randomBytes(dice, 10_000)) // each value fills a block
	}
	b := start(t, cfg)
	produce(t, b.Addr(), "vendas", values...)
	closed(t, b)
	closed(t, start(t, cfg)) // a restart moves the contents of the write-ahead log to tables
	flip(t, dir, values[2])

	b = start(t, cfg)
	for _, c := range []struct {
		offset  int64
		code    int16
		batches int
	}{{0, 0, 2}, {1, 0, 1}, {2, kerr.CorruptMessage.Code, 0}, {3, 0, 2}} {
		p := fetch(t, b.Addr(), "vendas", c.offset)
		if n := batchesIn(p.RecordBatches); p.ErrorCode != c.code || n != c.batches {
			t.Errorf("from %d: error %d, %d batches; want %d, %d", c.offset, p.ErrorCode, n, c.code, c.batches)
		}
	}
	closed(t, b)

	var findings []string
	if _, err := broker.Check(dir, func(finding string) { findings = append(findings, finding) }); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(findings, "\n"); !strings.Contains(all, "vendas/0") || !strings.Contains(all, " at 2: ") {
		t.Errorf("findings of the check:\n%s", all)
	}
}

// flip changes a byte in the middle of a value, in the tables of a directory.
func flip(t *testing.T, dir, value string) {
	t.Helper()
	flipped := 0
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if ext := filepath.Ext(name); err != nil || ext != ".sst" && ext != ".blob" {
			return err
		}
		content, err := os.ReadFile(name)
		at := bytes.Index(content, []byte(value))
		if err != nil || at < 0 {
			return err
		}
		content[at+len(value)/2] ^= 1
		flipped++
		return os.WriteFile(name, content, 0o644)
	})
	if err != nil || flipped != 1 {
		t.Fatalf("the value is in %d tables, %v", flipped, err)
	}
}

// fetch fetches partition 0 of a topic from an offset on.
func fetch(t *testing.T, address, topic string, offset int64) kmsg.FetchResponseTopicPartition {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req := fetchOf(topic, offset)
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		t.Fatal(err)
	}
	size := make([]byte, 4)
	if _, err := io.ReadFull(conn, size); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, binary.BigEndian.Uint32(size))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	res := kmsg.NewPtrFetchResponse()
	res.Version = req.Version
	if err := res.ReadFrom(answer[4:]); err != nil {
		t.Fatal(err)
	}
	return res.Topics[0].Partitions[0]
}

// batchesIn counts record batches. The size of a batch is after its base offset.
func batchesIn(b []byte) (n int) {
	for len(b) > 0 {
		b = b[12+binary.BigEndian.Uint32(b[8:]):]
		n++
	}
	return n
}
