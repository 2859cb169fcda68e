package crashtest

import (
	"context"
	"sync"
)

// monitor is a lock with a wait for what it guards.
type monitor struct {
	sync.Mutex
	changed sync.Cond // broadcast after each change that someone may wait for
}

func (m *monitor) init() { m.changed.L = &m.Mutex }

// await waits until holds is true, and reports whether it came to that before ctx ended. The caller has the lock.
func (m *monitor) await(ctx context.Context, holds func() bool) bool {
	defer context.AfterFunc(ctx, func() {
		m.Lock()
		defer m.Unlock()
		m.changed.Broadcast()
	})()
	for !holds() {
		if ctx.Err() != nil {
			return false
		}
		m.changed.Wait()
	}
	return true
}
