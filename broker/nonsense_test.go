package broker_test

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker"
)

var nonsense = flag.Duration("nonsense", 2*time.Second, "how long TestNobodyIsHarmedByNonsense sends nonsense; a tenth of it with -short")

// Clients send random bytes, truncated requests, and requests with changed bytes. The broker still serves other
// clients, and its memory does not grow.
func TestNobodyIsHarmedByNonsense(t *testing.T) {
	b := start(t, broker.Config{AutoCreateTopics: true})
	produce(t, b.Addr(), "colours", "red", "green", "blue")
	before := heap()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	duration := *nonsense
	if testing.Short() {
		duration /= 10
	}
	until := time.Now().Add(duration)
	var strangers sync.WaitGroup
	for i := range uint64(8) {
		strangers.Go(func() {
			dice := rand.New(rand.NewPCG(seed, i))
			for time.Now().Before(until) {
				sendNonsense(t, b.Addr(), dice)
			}
		})
	}
	strangers.Wait()
	if got := consume(t, b.Addr(), "colours", 3); len(got) != 3 {
		t.Errorf("the topic contains %q", got)
	}
	// The broker may still hold requests of connections that were closed a moment ago.
	deadline := time.Now().Add(20 * time.Second)
	for after := heap(); after > before+64<<20; after = heap() {
		if time.Now().After(deadline) {
			t.Fatalf("the heap has grown from %d to %d bytes", before, after)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// sendNonsense opens a connection, sends bytes, and closes it.
func sendNonsense(t *testing.T, address string, dice *rand.Rand) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	for range 1 + dice.IntN(3) {
		sent := nonsenseFrame(dice)
		if _, err := conn.Write(sent); err != nil {
			return // the broker may close the connection
		}
	}
}

// nonsenseFrame returns random bytes, or a truncated or changed request of any kind and version.
func nonsenseFrame(dice *rand.Rand) []byte {
	if dice.IntN(4) == 0 {
		return randomBytes(dice, 1+dice.IntN(300))
	}
	req := kmsg.RequestForKey(int16(dice.IntN(70)))
	if req == nil {
		return frame(int16(dice.Int32()), int16(dice.IntN(20)), 8+dice.IntN(100))
	}
	req.SetVersion(int16(dice.IntN(int(req.MaxVersion()) + 1)))
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("stranger")).AppendRequest(nil, req, dice.Int32())
	f = append(f, randomBytes(dice, dice.IntN(50))...)
	for range dice.IntN(8) {
		f[4+dice.IntN(len(f)-4)] = byte(dice.Uint32())
	}
	binary.BigEndian.PutUint32(f, uint32(len(f)-4))
	return f[:len(f)-dice.IntN(2)*dice.IntN(len(f))]
}

func randomBytes(dice *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(dice.Uint32())
	}
	return b
}
