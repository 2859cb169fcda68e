package crashtest

import (
	"context"
	"maps"
	"slices"
)

// gate pauses and resumes the clients of a load.
type gate struct {
	monitor
	open   bool
	spare  map[string]int  // how many records each client may still write, which limits the use of the disk
	inside map[string]bool // clients that are working
}

func newGate(workers ...string) *gate {
	g := &gate{spare: map[string]int{}, inside: map[string]bool{}}
	g.init()
	for _, worker := range workers {
		g.inside[worker] = true
	}
	return g
}

// pass lets a worker write up to cost records. If the worker has to wait, pass first calls settle, so that a waiting worker has
// no pending requests. It returns false if ctx has ended.
func (g *gate) pass(ctx context.Context, worker string, cost int, settle func()) bool {
	g.Lock()
	defer g.Unlock()
	mayPass := func() bool { return g.open && (cost == 0 || g.spare[worker] > 0) }
	if !mayPass() {
		g.Unlock()
		settle()
		g.Lock()
		delete(g.inside, worker)
		g.changed.Broadcast()
		if !g.await(ctx, mayPass) {
			return false
		}
		g.inside[worker] = true
	}
	g.spare[worker] -= cost
	return ctx.Err() == nil
}

// leave removes a worker that has ended.
func (g *gate) leave(worker string) {
	g.Lock()
	defer g.Unlock()
	delete(g.inside, worker)
	g.changed.Broadcast()
}

// release resumes all workers. Each writer may write about the given number of records.
func (g *gate) release(records int, writers ...string) {
	g.Lock()
	defer g.Unlock()
	g.open = true
	for _, writer := range writers {
		g.spare[writer] = records
	}
	g.changed.Broadcast()
}

// rest pauses all workers and waits until they have settled. It returns the workers that had not when ctx ended.
func (g *gate) rest(ctx context.Context) []string {
	g.Lock()
	defer g.Unlock()
	g.open = false
	g.await(ctx, func() bool { return len(g.inside) == 0 })
	return slices.Sorted(maps.Keys(g.inside))
}
