package crashtest

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// damages lists what a power failure can do to the end of a file that was not synced.
var damages = []struct {
	name   string
	damage func(random *rand.Rand, tail []byte) (left []byte)
}{
	{"cut", func(random *rand.Rand, tail []byte) []byte { return tail[:random.IntN(len(tail))] }},
	{"garbled", func(random *rand.Rand, tail []byte) []byte {
		for i := random.IntN(len(tail)); i < len(tail); i++ {
			tail[i] = byte(random.Uint32())
		}
		return tail
	}},
	{"zeroed", func(random *rand.Rand, tail []byte) []byte {
		clear(tail[random.IntN(len(tail)):])
		return tail
	}},
}

// The end of the write-ahead log is damaged after a kill.
//
// Proves: power-cut-leaves-a-whole-log (processes)
func TestGarbledTail(t *testing.T) {
	long(t)
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			survivesDamage(t, 20, 1, func(random *rand.Rand, file string) {
				kept, lost := damageTail(t, file, func(tail []byte) []byte { return d.damage(random, tail) })
				t.Logf("%s: %d bytes are as they were, up to %d behind them are not", file, kept, lost)
			})
		})
	}
}

// survivesDamage kills a broker after a minimum number of transactions, when its write-ahead log has a minimum size, and
// damages the log. Records at the end may be lost, even acknowledged ones. But the rest is a state that the broker was in,
// without partial transactions or gaps, and later records are kept.
func survivesDamage(t *testing.T, least, size int, damage func(random *rand.Rand, file string)) {
	t.Helper()
	r := newTrial(t, t.ArtifactDir())
	file := r.killWithLog(least, size)
	r.stop()

	damage(r.random, file)
	r.broker.serve()
	endTransactions(t, r.broker.address)
	r.verdict(true)

	offsets := appendAfter(t, r.broker.address)
	r.broker.kill()
	r.broker.serve()
	r.verdict(true)
	mustHold(t, r.broker.address, offsets)
}

// killWithLog kills the broker after a minimum number of transactions and returns the newest file of its write-ahead log. If
// the file is too small because the broker has just created it, killWithLog restarts the broker and kills it again.
func (r *trial) killWithLog(least, size int) string {
	r.t.Helper()
	for {
		r.load.begin()
		r.work(transactions, least+r.random.IntN(200))
		r.broker.kill()
		file := r.broker.newest()
		if file == "" {
			r.t.Skipf("no write-ahead log *.log below %s", r.broker.dir)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			r.t.Fatal(err)
		}
		if lengthOf(content) >= size {
			return file
		}
		r.broker.serve()
	}
}

// endTransactions ends the open transactions of the transformers, as they would do themselves after a restart.
func endTransactions(t *testing.T, address string) {
	t.Helper()
	for _, name := range transformers {
		client := newClient(t.Context(), t, address, kgo.TransactionalID(name))
		if _, _, err := client.ProducerID(t.Context()); err != nil {
			t.Errorf("end the transaction of %s: %v", name, err)
		}
		client.Close()
	}
}

// tailSize is how many bytes at the end of a file may be damaged.
const tailSize = 64 << 10

// lengthOf returns how many bytes were written to a file. The zeroes after them are preallocated.
func lengthOf(content []byte) int { return len(bytes.TrimRight(content, "\x00")) }

// damageTail damages the end of the written part of a file.
func damageTail(t *testing.T, file string, damage func(tail []byte) []byte) (kept, lost int) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	end := lengthOf(content)
	kept = max(0, end-tailSize)
	content = append(content[:kept], damage(content[kept:end])...)
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return kept, end - kept
}

// after is the topic for records that are written after the damage.
var after = place{topic: "after"}

// appendAfter writes some records and returns their offsets.
func appendAfter(t *testing.T, address string) []int64 {
	t.Helper()
	client := newClient(t.Context(), t, address)
	defer client.Close()
	if err := createTopic(t.Context(), client, after.topic, 1); err != nil {
		t.Fatal(err)
	}
	var offsets []int64
	for i := range 20 {
		record := &kgo.Record{Topic: after.topic, Value: numbered(i)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, record.Offset)
	}
	return offsets
}

// mustHold checks that the topic contains exactly the records of appendAfter, at the same offsets.
func mustHold(t *testing.T, address string, offsets []int64) {
	t.Helper()
	views, err := read(t.Context(), address, kgo.ReadUncommitted(), []place{after})
	if err != nil {
		t.Fatal(err)
	}
	var found []int64
	for i, e := range views[after].entries {
		if number, err := numberOf(e.value); err != nil || number != i {
			t.Errorf("%s@%d: want number %d, got %.20q", after, e.offset, i, e.value)
		}
		found = append(found, e.offset)
	}
	if !slices.Equal(found, offsets) {
		t.Errorf("%s: records written after the damage were acknowledged at %v, but are at %v", after, offsets, found)
	}
}
