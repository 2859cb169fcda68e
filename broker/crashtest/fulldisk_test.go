package crashtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// When the disk is full, the broker rejects records with an error that says why. Acknowledged records stay readable. When
// there is space again, it continues without a restart, and also after a kill -9 on the full disk.
//
// Proves: full-disk-refuses-and-recovers (processes), acked-not-lost (processes)
func TestFullDisk(t *testing.T) {
	long(t)
	d := newFullDisk(t)
	d.squeeze("first", 24<<20)
	d.squeeze("second", enough)
	d.broker.serve()
	patient := d.newPatient()
	patient.send()
	patient.mustBeAcknowledged()

	d.writeUntilRefused()
	d.squeeze("rest", diskSize) // the broker's reserve is used up as well
	patient.send()
	d.mustHoldAll()
	d.mustSayThatItIsFull()

	d.release("rest")
	d.release("first")
	patient.mustBeAcknowledged()
	d.mustHoldAll()
	d.writeUntilRefused()
	d.squeeze("rest", diskSize)

	patient.send()
	d.broker.kill()
	d.release("rest")
	d.release("second")
	d.broker.serve()
	patient.mustBeAcknowledged()
	for range 10 {
		patient.send()
		patient.mustBeAcknowledged()
	}
	d.mustHoldAll()
}

// The size of the small disk, and the free space that a start needs: it copies the contents of the write-ahead log to tables,
// which takes as much space again.
const (
	diskSize = 160 << 20
	enough   = 80 << 20
)

// fullDisk is a broker on a small disk.
type fullDisk struct {
	t       *testing.T
	dir     string
	broker  *process
	random  *rand.Rand
	written int           // records that were sent
	there   map[int64]int // number of each acknowledged record, by offset
}

// stuffed is the topic whose records fill the disk.
var stuffed = place{topic: "stuffed"}

// stuffing is the size of these records.
const stuffing = 32 << 10

func newFullDisk(t *testing.T) *fullDisk {
	seed := seed(t)
	logClients(t)
	dir := smallDisk(t, diskSize)
	return &fullDisk{t: t, dir: dir, broker: newProcess(t, dir), random: rand.New(rand.NewPCG(seed, 0)), there: map[int64]int{}}
}

// smallDisk returns an empty directory on a new file system of the given size in bytes.
func smallDisk(t *testing.T, size int) string {
	if given := os.Getenv("RIO_TMPFS"); given != "" {
		dir, err := os.MkdirTemp(given, "crashtest")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk: only root may mount one (%v: %s); or set RIO_TMPFS to a directory on a file system of %d MB, with nothing else on it", err, bytes.TrimSpace(out), size>>20)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %v: %s", dir, err, out)
		}
	})
	return dir
}

// squeeze allocates the given number of bytes on the disk, or all that are free.
func (d *fullDisk) squeeze(name string, size int64) {
	d.t.Helper()
	file, err := os.Create(filepath.Join(d.dir, name))
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		d.t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.CopyN(file, zeroes{}, size); err != nil && !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
}

// zeroes is an endless reader of zero bytes.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// release frees the space again.
func (d *fullDisk) release(name string) {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
}

// stuff makes an incompressible record.
func (d *fullDisk) stuff() *kgo.Record {
	value := strconv.AppendInt(nil, int64(d.written), 10)
	value = append(value, ' ')
	d.written++
	for len(value) < stuffing {
		value = append(value, byte(d.random.Uint32()))
	}
	return &kgo.Record{Topic: stuffed.topic, Value: value}
}

// writeUntilRefused writes records until the broker rejects one with the expected error, and stores the acknowledged ones in
// there. A request that is in progress when the disk becomes full may get no response; it is resent until it gets one.
func (d *fullDisk) writeUntilRefused() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), waitTimeout)
	defer cancel()
	client := newClient(ctx, d.t, d.broker.address, kgo.RecordRetries(1),
		kgo.ProduceRequestTimeout(time.Second), kgo.RequestTimeoutOverhead(time.Second))
	defer client.Close()
	before := len(d.there)
	for {
		r := d.stuff()
		number, sent := d.written-1, time.Now()
		err := client.ProduceSync(ctx, r).FirstErr()
		if err != nil {
			d.t.Logf("after %d records, and %v: %v", len(d.there)-before, time.Since(sent), err)
			if !errors.Is(err, kerr.KafkaStorageError) {
				d.t.Errorf("error on a full disk: %v, want %v", err, kerr.KafkaStorageError)
			}
			break
		}
		d.there[r.Offset] = number
	}
	if len(d.there) == before {
		d.t.Error("nothing could be written, though there was room")
	}
	if !d.broker.alive() {
		d.t.Fatal("the full disk has ended the broker")
	}
}

// mustHoldAll checks that each acknowledged record is at its offset, and that no record is in the log twice.
func (d *fullDisk) mustHoldAll() {
	d.t.Helper()
	views, err := read(d.t.Context(), d.broker.address, kgo.ReadUncommitted(), []place{stuffed})
	if err != nil {
		d.t.Fatal(err)
	}
	left, seen := maps.Clone(d.there), map[string]int64{}
	for _, e := range views[stuffed].entries {
		number, _, _ := bytes.Cut([]byte(e.value), []byte(" "))
		if other, twice := seen[string(number)]; twice {
			d.t.Errorf("number %s is in the log twice, at %d and %d", number, other, e.offset)
		}
		seen[string(number)] = e.offset
		if want, acknowledged := left[e.offset]; acknowledged && fmt.Sprint(want) != string(number) {
			d.t.Errorf("number %d was acknowledged at %d, but number %s is there", want, e.offset, number)
		}
		delete(left, e.offset)
	}
	for offset, number := range left {
		d.t.Errorf("number %d was acknowledged at %d, but is missing", number, offset)
	}
}

// mustSayThatItIsFull checks that the broker's log says that the disk is full.
func (d *fullDisk) mustSayThatItIsFull() {
	d.t.Helper()
	if !d.broker.hasSaid("disk is full") {
		d.t.Error("the broker's log does not say that the disk is full")
	}
}

// patientProducer is a producer that retries until there is space.
type patientProducer struct {
	*fullDisk
	client  *kgo.Client
	waiting chan result
}

type result struct {
	number int
	offset int64
	err    error
}

func (d *fullDisk) newPatient() *patientProducer {
	d.t.Helper()
	p := &patientProducer{d, newClient(d.t.Context(), d.t, d.broker.address), make(chan result, 1)}
	d.t.Cleanup(p.client.Close)
	if err := createTopic(d.t.Context(), p.client, stuffed.topic, 1); err != nil {
		d.t.Fatal(err)
	}
	return p
}

// send sends a record without waiting for the acknowledgement.
func (p *patientProducer) send() {
	r := p.stuff()
	number := p.written - 1
	p.client.Produce(p.t.Context(), r, func(r *kgo.Record, err error) { p.waiting <- result{number, r.Offset, err} })
}

func (p *patientProducer) mustBeAcknowledged() {
	p.t.Helper()
	timeout := time.NewTimer(waitTimeout)
	defer timeout.Stop()
	select {
	case <-timeout.C:
		p.t.Fatalf("no acknowledgement within %v", waitTimeout)
	case r := <-p.waiting:
		if r.err != nil {
			p.t.Fatalf("a record was rejected: %v", r.err)
		}
		p.there[r.offset] = r.number
	}
}
