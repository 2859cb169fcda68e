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

// Rebuild writes changelogs that were deleted, or have lost their end, again from the state below Config.Dir, which is
// then the only copy of it (see ErrStateLost). If that state is older than the committed offsets, which happens when the
// process was killed, the offsets go back to where the state stands: the results since then are written again, and the
// counts are right.
//
// The application must not be running, on any machine. If its state is spread over several machines, call Rebuild on
// each of them.
func Rebuild(ctx context.Context, t *topology.Topology, cfg Config) error {
	return administer(ctx, t, cfg, "rebuild", func(r *runner) error { return r.rebuild(ctx) })
}

func (r *runner) rebuild(ctx context.Context) error {
	group, err := r.client.DescribeGroup(ctx, r.cfg.Application)
	if err != nil && !errors.Is(err, kafka.ErrUnknownGroup) {
		return err
	}
	if len(group.Members) > 0 {
		return fmt.Errorf("%w: stop the application first, on all machines", kafka.ErrGroupNotEmpty)
	}
	if err := r.prepareTopics(ctx); err != nil {
		return err
	}
	if err := r.survey(ctx); err != nil {
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
				r.log.Warn("unlock state", "dir", p.dir, "error", err)
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
			return nil, func() {}, fmt.Errorf("state of another process: %w; stop it first", err)
		}
		places = append(places, p)
	}
	return places, unlock, nil
}

// rebuildTask writes the lost changelogs of a task from the copy that is furthest.
func (r *runner) rebuildTask(ctx context.Context, places []*place, sub *plan.Subtopology, partition int32) error {
	u := r.newUnit(sub, partition)
	var best *copyOfState
	for _, p := range places {
		c, err := r.openCopy(p, u)
		if err != nil {
			return errors.Join(err, best.close())
		}
		if c == nil {
			continue
		}
		if best == nil || c.furthest() > best.furthest() {
			best, c = c, best
		}
		if err := c.close(); err != nil {
			return errors.Join(err, best.close())
		}
	}
	if best == nil {
		return nil
	}
	err := r.rebuildFrom(ctx, u, best)
	return errors.Join(err, best.close())
}

// copyOfState is the database of a task in one of the places.
type copyOfState struct {
	dir    string
	db     state.DB
	stores *replica.Replica
}

// openCopy opens what a place has of a unit, nil if it has nothing.
func (r *runner) openCopy(p *place, u *unit) (*copyOfState, error) {
	dir := p.taskDir(u.sub, u.partition)
	if _, err := os.Stat(dir); dir == "" || errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	db, err := pebblestore.Open(dir, pebblestore.Config{Log: r.log})
	if err != nil {
		return nil, err
	}
	stores, err := replica.Open(db, r.replicaOf(u))
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

// furthest is the greatest position in the changelogs.
func (c *copyOfState) furthest() int64 {
	at := int64(-1)
	for _, log := range c.stores.Logs() {
		if !log.Source {
			at = max(at, log.From)
		}
	}
	return at
}

// rebuildFrom writes the changelogs that have lost what a copy holds, then the offsets that go with them, and then notes
// in the copy that it belongs to them. Interrupted anywhere, it can be called again.
func (r *runner) rebuildFrom(ctx context.Context, u *unit, c *copyOfState) error {
	u.dir = c.dir
	b, err := r.bind(ctx, u)
	if err != nil {
		return err
	}
	ends, err := r.rewrite(ctx, u, c, b)
	if err != nil || len(ends) == 0 {
		return err
	}
	offsets, err := r.offsetsOf(ctx, u, c, b)
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
	r.log.Info("changelogs written again", "task", u.name, "from", c.dir)
	return nil
}

// rewrite writes the rows of stores whose changelogs have lost them, and returns where these end then.
func (r *runner) rewrite(ctx context.Context, u *unit, c *copyOfState, b binding) (map[string]int64, error) {
	producer, err := r.client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		return nil, err
	}
	defer producer.Close() // what was not flushed is written by the next call
	ends := map[string]int64{}
	for _, log := range c.stores.Logs() {
		tps := []kafka.TopicPartition{{Topic: log.Topic, Partition: u.partition}}
		end, err := r.client.Offsets(ctx, tps, kafka.Latest)
		if err != nil {
			return nil, err
		}
		if log.Source || !errors.Is(b.check(log, 0, end[tps[0]]), ErrStateLost) {
			continue
		}
		err = c.stores.Dump(log, func(key, value []byte, timestamp int64) error {
			return producer.Send(log.Topic, u.partition, kafka.Record{Key: key, Value: value, Timestamp: timestamp})
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

// offsetsOf returns the offsets that go with a copy of the state: the committed ones, or earlier ones where the copy is
// older.
func (r *runner) offsetsOf(ctx context.Context, u *unit, c *copyOfState, b binding) (map[kafka.TopicPartition]kafka.CommittedOffset, error) {
	starts, err := r.client.Offsets(ctx, u.inputs, kafka.Earliest)
	if err != nil {
		return nil, err
	}
	offsets := map[kafka.TopicPartition]kafka.CommittedOffset{}
	older := false
	for _, tp := range u.inputs {
		committed, ok := b.committed[tp]
		if !ok {
			return nil, fmt.Errorf("%w: the group has no offset of %s to go with the state; reset the application", ErrStateLost, tp)
		}
		offset := committed.Offset
		at, known, err := c.stores.Position(tp.Topic)
		if err != nil {
			return nil, err
		}
		if known && at < offset {
			if at < starts[tp] {
				return nil, fmt.Errorf("%w: the state in %s stands at offset %d of %s, which begins at %d now: it cannot be brought up to date; reset the application",
					ErrStateLost, c.dir, at, tp, starts[tp])
			}
			r.log.Warn("offset goes back to where the state stands; later results are written again", "partition", tp, "from", offset, "to", at)
			offset, older = at, true
		}
		offsets[tp] = kafka.CommittedOffset{Offset: offset, Metadata: withoutNote(committed.Metadata)}
	}
	for tp, o := range offsets {
		if older {
			o.Metadata = task.Metadata(-1, c.stores.Times)
		}
		o.Metadata += b.notes[tp]
		offsets[tp] = o
	}
	return offsets, nil
}
