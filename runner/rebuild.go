package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/replica"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
	"github.com/rio-streams/rio/topology"
)

// Rebuild rewrites changelogs that were deleted or have lost records at their end. It reads the local state below
// Config.Dir, which is then the only copy (see ErrStateLost). If the state is older than the committed offsets, for example
// because the process was killed, Rebuild also resets the offsets to the state's position: later results are written a
// second time, but each record is counted once.
//
// The application must not be running on any machine. If several machines have parts of the state, call Rebuild on each of
// them.
func Rebuild(ctx context.Context, t *topology.Topology, cfg Config) error {
	return administer(ctx, t, cfg, "rebuild", func(r *runner) error { return r.rebuild(ctx) })
}

func (r *runner) rebuild(ctx context.Context) error {
	group, err := r.client.DescribeGroup(ctx, r.cfg.Application)
	if err != nil && !errors.Is(err, kafka.ErrUnknownGroup) {
		return err
	}
	if len(group.Members) > 0 {
		return fmt.Errorf("%w: stop the application on all machines first", kafka.ErrGroupNotEmpty)
	}
	if err := r.prepareTopics(ctx); err != nil {
		return err
	}
	if err := r.checkCommitted(ctx); err != nil {
		return err
	}
	places, unlock, err := r.lockPlaces()
	if err != nil {
		return err
	}
	defer unlock()
	for _, sub := range r.plan.Subtopologies {
		for partition := range sub.Tasks(r.counts) {
			if err := r.rebuildTask(ctx, places, sub, partition); err != nil {
				return err
			}
		}
	}
	return nil
}

// lockPlaces locks all places of this cluster.
func (r *runner) lockPlaces() (places []*place, unlock func(), err error) {
	unlock = func() {
		for _, p := range places {
			if err := p.lock.Release(); err != nil {
				r.log.Warn("failed to unlock the state directory", "dir", p.dir, "error", err)
			}
		}
	}
	entries, err := os.ReadDir(r.stateDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, unlock, err
	}
	for _, entry := range entries {
		p := &place{dir: filepath.Join(r.stateDir(), entry.Name())}
		if err := p.take(); err != nil {
			unlock()
			return nil, func() {}, fmt.Errorf("another process uses the state: %w; stop it first", err)
		}
		places = append(places, p)
	}
	return places, unlock, nil
}

// rebuildTask rewrites the lost changelogs of a task from its latest local copy.
func (r *runner) rebuildTask(ctx context.Context, places []*place, sub *plan.Subtopology, partition int32) error {
	a := r.newAssignment(sub, partition)
	var best *copyOfState
	for _, p := range places {
		c, err := r.openCopy(p, a)
		if err != nil {
			return errors.Join(err, best.close())
		}
		if c == nil {
			continue
		}
		if best == nil || c.latest() > best.latest() {
			best, c = c, best
		}
		if err := c.close(); err != nil {
			return errors.Join(err, best.close())
		}
	}
	if best == nil {
		return nil
	}
	err := r.rebuildFrom(ctx, a, best)
	return errors.Join(err, best.close())
}

// copyOfState is the database of a task in one of the places.
type copyOfState struct {
	dir    string
	db     state.DB
	stores *replica.Replica
}

// openCopy opens the database of a task in a place. It returns nil if there is none.
func (r *runner) openCopy(p *place, a *assignment) (*copyOfState, error) {
	dir := p.taskDir(a.sub, a.partition)
	if _, err := os.Stat(dir); dir == "" || errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	db, err := pebblestore.Open(dir, pebblestore.Config{Log: r.log})
	if err != nil {
		return nil, err
	}
	stores, err := replica.Open(db, r.replicaOf(a))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &copyOfState{dir, db, stores}, nil
}

func (c *copyOfState) close() error {
	if c == nil {
		return nil
	}
	c.stores.Close()
	return c.db.Close()
}

// latest returns the greatest changelog position of the copy.
func (c *copyOfState) latest() int64 {
	at := int64(-1)
	for _, log := range c.stores.Logs() {
		if !log.Source {
			at = max(at, log.From)
		}
	}
	return at
}

// rebuildFrom rewrites the changelogs that lack changes of the copy, then commits the matching offsets, and then binds the
// copy to the new changelogs. If it is interrupted, it can be called again.
func (r *runner) rebuildFrom(ctx context.Context, a *assignment, c *copyOfState) error {
	a.dir = c.dir
	b, err := r.bind(ctx, a)
	if err != nil {
		return err
	}
	ends, err := r.rewrite(ctx, a, c, b)
	if err != nil || len(ends) == 0 {
		return err
	}
	offsets, err := r.offsetsOf(ctx, a, c, b)
	if err != nil {
		return err
	}
	if err := r.client.CommitOffsets(ctx, kafka.GroupRef{Group: r.cfg.Application, Generation: -1}, offsets); err != nil {
		return err
	}
	if err := c.stores.Bind(b.logIDs()); err != nil {
		return err
	}
	for topic, end := range ends {
		if err := c.stores.Apply(topic, nil, end); err != nil {
			return err
		}
	}
	r.log.Info("changelogs rewritten", "task", a.name, "from", c.dir)
	return nil
}

// rewrite writes the rows of stores to the changelogs that have lost them. It returns the new ends of these changelogs.
func (r *runner) rewrite(ctx context.Context, a *assignment, c *copyOfState, b binding) (map[string]int64, error) {
	producer, err := r.client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		return nil, err
	}
	defer producer.Close() // if it fails before a flush, the next call writes all rows again
	ends := map[string]int64{}
	for _, log := range c.stores.Logs() {
		tps := []kafka.TopicPartition{{Topic: log.Topic, Partition: a.partition}}
		end, err := r.client.Offsets(ctx, tps, kafka.Latest)
		if err != nil {
			return nil, err
		}
		if log.Source || !errors.Is(b.check(log, 0, end[tps[0]]), ErrStateLost) {
			continue
		}
		err = c.stores.Dump(log, func(key, value []byte, timestamp int64) error {
			return producer.Send(log.Topic, a.partition, kafka.Record{Key: key, Value: value, Timestamp: timestamp})
		})
		if err == nil {
			err = producer.Flush(ctx)
		}
		if err != nil {
			return nil, err
		}
		if end, err = r.client.Offsets(ctx, tps, kafka.Latest); err != nil {
			return nil, err
		}
		ends[log.Topic] = end[tps[0]]
	}
	return ends, nil
}

// offsetsOf returns the offsets that match a copy of the state: the committed ones, or earlier ones where the copy is older.
func (r *runner) offsetsOf(ctx context.Context, a *assignment, c *copyOfState, b binding) (map[kafka.TopicPartition]kafka.CommittedOffset, error) {
	starts, err := r.client.Offsets(ctx, a.inputs, kafka.Earliest)
	if err != nil {
		return nil, err
	}
	offsets := map[kafka.TopicPartition]kafka.CommittedOffset{}
	older := false
	for _, tp := range a.inputs {
		committed, ok := b.committed[tp]
		if !ok {
			return nil, fmt.Errorf("%w: the group has no committed offset of %s; reset the application", ErrStateLost, tp)
		}
		offset := committed.Offset
		at, known, err := c.stores.Position(tp.Topic)
		if err != nil {
			return nil, err
		}
		if known && at < offset {
			if at < starts[tp] {
				return nil, fmt.Errorf("%w: the position of the state in %s is offset %d of %s, before the first offset %d, so the state cannot be brought up to date; reset the application",
					ErrStateLost, c.dir, at, tp, starts[tp])
			}
			r.log.Warn("resetting an offset to the position of the local state; later results are written a second time", "partition", tp, "from", offset, "to", at)
			offset, older = at, true
		}
		offsets[tp] = kafka.CommittedOffset{Offset: offset, Metadata: withoutNote(committed.Metadata)}
	}
	for tp, o := range offsets {
		if older {
			o.Metadata = task.Metadata(-1, c.stores.Times)
		}
		o.Metadata += b.newNotes[tp]
		offsets[tp] = o
	}
	return offsets, nil
}
