package crashtest

import (
	"context"
	"maps"
	"slices"
)

// gate lets the clients of a load work, and brings them to rest.
type gate struct {
	monitor
	open   bool
	spare  map[string]int  // how many records each may still write, so that a slow start does not fill the disk
	inside map[string]bool // who works
}

func newGate(workers ...string) *gate {
	g := &gate{spare: map[string]int{}, inside: map[string]bool{}}
	g.init()
	for _, worker := range workers {
		g.inside[worker] = true
	}
	return g
}

// pass lets a worker write up to cost records. If it has to wait, it settles first, so that whoever waits here has no
// request without an answer. False means that ctx has ended.
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

// leave is the end of a worker.
func (g *gate) leave(worker string) {
	g.Lock()
	defer g.Unlock()
	delete(g.inside, worker)
	g.changed.Broadcast()
}

// release lets everyone work, and each of the writers for about that many records.
func (g *gate) release(records int, writers ...string) {
	g.Lock()
	defer g.Unlock()
	g.open = true
	for _, writer := range writers {
		g.spare[writer] = records
	}
	g.changed.Broadcast()
}

// rest waits until everyone has settled, and returns who has not before ctx ended.
func (g *gate) rest(ctx context.Context) []string {
	g.Lock()
	defer g.Unlock()
	g.open = false
	g.await(ctx, func() bool { return len(g.inside) == 0 })
	return slices.Sorted(maps.Keys(g.inside))
}
