package runner

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// Viewer is a store that can be read from outside its tasks: a *topology.Table[K, V] or a *state.KeyValueDefinition[K, V].
type Viewer[K, V any] interface {
	Name() string
	View(state.Reader) (*state.View[K, V], error)
}

// LocalStore reads the committed rows of a store's tasks in this process. Other processes of the application have other
// keys: see ErrElsewhere. Its methods may be called from any goroutine and do not block processing.
type LocalStore[K, V any] struct {
	app   *App
	store Viewer[K, V]
}

// Local returns read access to a store of the application's topology. It returns an error if the topology has no such store.
func Local[K, V any](a *App, store Viewer[K, V]) (*LocalStore[K, V], error) {
	for _, sub := range a.runner.plan.Subtopologies {
		if hasStore(sub, store.Name()) {
			return &LocalStore[K, V]{a, store}, nil
		}
	}
	return nil, fmt.Errorf("runner: application %s: store %q: %w in its topology", a.runner.cfg.Application, store.Name(), state.ErrNoStore)
}

// ErrElsewhere: a key was not found, but this process has only some tasks of the store, so another process may have the
// key.
var ErrElsewhere = errors.New("not in this process, which has only some of the store's tasks")

// ErrUnavailable: a task of the store is not processing at the moment. It is being restored or moved to another process, or
// the application is starting or has ended. Retry later.
var ErrUnavailable = errors.New("the store is not available")

// Get returns the value of key. If the key certainly does not exist, found is false and err is nil. If another process or
// an unavailable task may have it, err is ErrElsewhere or ErrUnavailable.
func (s *LocalStore[K, V]) Get(key K) (value V, found bool, err error) {
	complete, err := s.each(func(view *state.View[K, V], _ func() error) (bool, error) {
		var err error
		value, found, err = view.Get(key)
		return !found, err
	})
	if err == nil && !found && !complete {
		err = s.wrap(ErrElsewhere)
	}
	return value, found && err == nil, err
}

// All iterates over the rows of this process, task by task, ordered by encoded key within a task. The rows of each task are
// a snapshot taken when the iteration reaches the task. If an error occurs, such as ErrUnavailable, All yields it and ends.
// The loop body should not block: the current task cannot move to another process meanwhile.
func (s *LocalStore[K, V]) All() iter.Seq2[state.Row[K, V], error] {
	return s.rows(func(view *state.View[K, V]) iter.Seq2[state.Row[K, V], error] { return view.All() })
}

// Range is like All, limited to the keys from one key to another, both inclusive, in the order of their encoded bytes.
func (s *LocalStore[K, V]) Range(from, to K) iter.Seq2[state.Row[K, V], error] {
	return s.rows(func(view *state.View[K, V]) iter.Seq2[state.Row[K, V], error] { return view.Range(from, to) })
}

func (s *LocalStore[K, V]) rows(of func(*state.View[K, V]) iter.Seq2[state.Row[K, V], error]) iter.Seq2[state.Row[K, V], error] {
	return func(yield func(state.Row[K, V], error) bool) {
		ended := false // the loop body has ended the iteration
		_, err := s.each(func(view *state.View[K, V], open func() error) (bool, error) {
			for row, err := range of(view) {
				if err == nil {
					err = open()
				}
				if err != nil {
					return false, err
				}
				if !yield(row, nil) {
					ended = true
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil && !ended {
			yield(state.Row[K, V]{}, err)
		}
	}
}

// each calls f with a view of the store in each task of this process, until f returns false. f calls open from time to
// time; it returns an error when the task is about to be closed. complete reports whether f has seen all tasks of the
// application.
func (s *LocalStore[K, V]) each(f func(view *state.View[K, V], open func() error) (more bool, err error)) (complete bool, err error) {
	r := s.app.runner
	if state := r.status.current(); state == Starting || state == Stopped || state == Failed {
		return false, s.wrap(fmt.Errorf("%w: the application is %v", ErrUnavailable, state))
	}
	tasks, of := 0, int32(0)
	for _, a := range r.status.assignments() {
		if !hasStore(a.sub, s.store.Name()) {
			continue
		}
		tasks++
		of = a.sub.Tasks(r.counts)
		more, err := s.in(a, f)
		if err != nil {
			return false, s.wrap(err)
		}
		if !more {
			return false, nil
		}
	}
	return tasks > 0 && tasks == int(of), nil
}

// in calls f with a view of the store in one task.
func (s *LocalStore[K, V]) in(a *assignment, f func(*state.View[K, V], func() error) (bool, error)) (more bool, err error) {
	open := a.store.Load()
	if open == nil || !open.acquire() {
		return false, fmt.Errorf("%w: %s", ErrUnavailable, a.describe().about())
	}
	defer open.release()
	snapshot := open.db.Snapshot()
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	view, err := s.store.View(snapshot)
	if errors.Is(err, state.ErrNoStore) {
		return true, nil // nothing has been committed yet
	}
	if err != nil {
		return false, err
	}
	return f(view, func() error {
		if open.closing() {
			return fmt.Errorf("%w: task %s is being closed", ErrUnavailable, a.name)
		}
		return nil
	})
}

func (s *LocalStore[K, V]) wrap(err error) error {
	return fmt.Errorf("runner: store %q: %w", s.store.Name(), err)
}

// hasStore reports whether the tasks of a sub-topology have a store.
func hasStore(sub *plan.Subtopology, store string) bool {
	return slices.ContainsFunc(sub.Stores, func(s *plan.Store) bool { return s.Name() == store })
}

// openStore gives other goroutines read access to the database of a processing task. Closing the task waits until all
// readers have released it.
type openStore struct {
	db state.DB

	mu      sync.Mutex
	readers int
	closed  bool
	gone    chan struct{} // closed when closed is true and there are no readers
}

func newOpenStore(db state.DB) *openStore { return &openStore{db: db, gone: make(chan struct{})} }

// acquire adds a reader. It returns false if the store is being closed.
func (o *openStore) acquire() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.readers++
	return true
}

func (o *openStore) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.readers--; o.readers == 0 && o.closed {
		close(o.gone)
	}
}

func (o *openStore) closing() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

// close rejects new readers and waits for the current ones. It must be called once.
func (o *openStore) close() {
	o.mu.Lock()
	o.closed = true
	if o.readers == 0 {
		close(o.gone)
	}
	o.mu.Unlock()
	<-o.gone
}
