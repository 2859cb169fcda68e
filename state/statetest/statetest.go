package statetest

import (
	"sync"
	"testing"

	"github.com/rio-streams/rio/state"
)

// Open opens the database in dir, a directory of the test. After Close it is opened again in the same directory and
// must contain everything that was committed.
type Open func(t testing.TB, dir string) state.DB

// Run tests a DB and all kinds of stores on it.
func Run(t *testing.T, open Open) {
	t.Run("db", func(t *testing.T) { RunDB(t, open) })
	t.Run("stores", func(t *testing.T) { RunStores(t, open) })
}

// Volatile returns an Open for a DB in memory, which keeps its contents between Close and the next Open.
func Volatile(make func() state.DB) Open {
	var mu sync.Mutex
	dbs := map[string]state.DB{}
	return func(_ testing.TB, dir string) state.DB {
		mu.Lock()
		defer mu.Unlock()
		if dbs[dir] == nil {
			dbs[dir] = unclosed{make()}
		}
		return dbs[dir]
	}
}

// unclosed is a DB whose Close does nothing.
type unclosed struct{ state.DB }

func (unclosed) Close() error { return nil }

// must fails the test on an error.
func must(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, err error,
) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}
