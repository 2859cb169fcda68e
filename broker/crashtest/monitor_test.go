package crashtest

import (
	"context"
	"sync"
)

// monitor is a mutex with a method that waits for a condition.
type monitor struct {
	sync.Mutex
	changed sync.Cond // broadcast after each change that a goroutine may wait for
}

func (m *monitor) init() { m.changed.L = &m.Mutex }

// await waits until holds returns true. It returns false if ctx ends first. The caller holds the lock.
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
