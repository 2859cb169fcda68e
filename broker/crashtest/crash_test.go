package crashtest

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	kills      = flag.Int("kills", 20, "how often TestKilledBrokerLosesNothing kills")
	durability = flag.String("durability", "fsync", "when the killed broker acknowledges: fsync or os")
	command    = flag.String("command", "", "a program that runs another broker in its own process, given an address and a directory, to try the test itself")
	chosenSeed = flag.Uint64("seed", 0, "seed of the random moments; 0 takes another one each time")
)

// TestMain runs the tests or, in a child process, a broker.
func TestMain(m *testing.M) {
	if os.Getenv(childAddress) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// seed returns the source of all random numbers, and logs its seed.
func seed(t *testing.T) uint64 {
	seed := *chosenSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seed %d -durability %s", seed, *durability)
	return seed
}

// How long to wait for the progress of a load, and for its clients to settle, before the test fails.
const waitTimeout = time.Minute

// trial is a broker under load.
type trial struct {
	t      *testing.T
	broker *process
	load   *load
	stop   func() // stops the load
	random *rand.Rand
	starts []time.Duration
}

// newTrial starts a broker and its load. The clients wait at the gate.
func newTrial(t *testing.T, dir string) *trial {
	seed := seed(t)
	logClients(t)
	broker := newProcess(t, dir)
	broker.serve()
	load, stop := startLoad(t, broker.address, seed)
	t.Cleanup(stop)
	return &trial{t: t, broker: broker, load: load, stop: stop, random: rand.New(rand.NewPCG(seed, 1<<32))}
}

// kill waits for a random amount of acknowledged work and then kills the broker under load. Sometimes it kills the broker
// again during the restart.
func (r *trial) kill(round int) {
	r.t.Helper()
	r.load.begin()
	switch r.random.IntN(3) {
	case 0:
		r.work(anything, 1+r.random.IntN(2_000))
	case 1:
		r.work(transactions, 1+r.random.IntN(100))
	default:
		r.work(commits, 1+r.random.IntN(20))
	}
	r.create(fmt.Sprintf("created-%d", round))
	r.broker.kill()
	for r.random.IntN(4) == 0 {
		r.broker.startHalf(r.random.IntN(2_000))
		r.broker.kill()
	}
	r.starts = append(r.starts, r.broker.serve())
}

// work waits until the given amount of further work is acknowledged.
func (r *trial) work(of kind, more int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), waitTimeout)
	defer cancel()
	if !r.load.awaitWork(ctx, of, more) {
		r.load.find("the load is stuck: less than %d more %s in %v", more, of, waitTimeout)
	}
}

// create creates a topic and adds it to the ledger when the creation is acknowledged.
func (r *trial) create(topic string) {
	r.t.Helper()
	client := newClient(r.t.Context(), r.t, r.broker.address)
	defer client.Close()
	if err := createTopic(r.t.Context(), client, topic, 1); err != nil {
		r.t.Fatal(err)
	}
	r.load.note(func() { r.load.topics = append(r.load.topics, topic) })
}

// check pauses the load and compares the log with the ledger.
func (r *trial) check() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), waitTimeout)
	defer cancel()
	if busy := r.load.rest(ctx); len(busy) > 0 {
		r.load.find("without an answer after %v: %v", waitTimeout, busy)
	}
	r.verdict(false)
}

// verdict fails the test if there are any problems.
func (r *trial) verdict(cut bool) {
	r.t.Helper()
	problems, err := judge(r.t.Context(), r.load, cut)
	if err != nil {
		problems = append(problems, err.Error())
	}
	r.load.ledger.Lock()
	defer r.load.ledger.Unlock()
	if problems = append(r.load.findings, problems...); len(problems) > 0 {
		r.t.Fatalf("after %d kills, %s", len(r.starts), listed(problems))
	}
}

// The broker is killed at random moments. Everything that it has acknowledged is in the log, once and as a whole.
//
// Proves: acked-not-lost (processes), no-torn-transaction (processes)
func TestKilledBrokerLosesNothing(t *testing.T) {
	long(t)
	r := newTrial(t, t.ArtifactDir())
	for round := range *kills {
		r.kill(round)
		if r.random.IntN(2) == 0 { // half of the time, write more records before the check
			r.work(anything, 1+r.random.IntN(300))
		}
		r.check()
	}
	slices.Sort(r.starts)
	t.Logf("%d acknowledgements; a start after a kill took %v to %v, half of them less than %v", r.load.work, r.starts[0], r.starts[len(r.starts)-1], r.starts[len(r.starts)/2])
}
