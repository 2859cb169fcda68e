package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
)

// output sends a task's records to the producer of its worker. It implements task.Output.
//
// The broker may reject a record long after Send. To find its source record then, output tags each record with the numbers
// of the task and the route, and with the offset of the source record.
type output struct {
	worker *worker
	id     int64 // number of the task within its worker
	routes []route
	last   int // index of the last route used

	headers []kafka.Header // of the record that is being sent
}

// route is the origin of sent records, apart from the offset of the source record. A task has few routes.
type route struct {
	kind      task.Kind
	step      *plan.Node
	store     string
	topic     string // of the source record
	partition int32
}

// Send implements task.Output.
func (o *output) Send(out task.Out) error {
	r := kafka.Record{Timestamp: out.Timestamp, Key: out.Key, Value: out.Value}
	if len(out.Headers) > 0 { // the producer copies them
		o.headers = o.headers[:0]
		for _, h := range out.Headers {
			o.headers = append(o.headers, kafka.Header(h))
		}
		r.Headers = o.headers
	}
	if err := o.worker.producer.SendTagged(out.Topic, out.Partition, r, o.tag(&out)); err != nil {
		return sendError(err)
	}
	return nil
}

func sendError(err error) error {
	var refusal *kafka.Refusal
	if errors.As(err, &refusal) {
		return fmt.Errorf("%w: %w", task.ErrRefused, err)
	}
	return recoverable(err)
}

// tag returns the tag of a record: task<<32 | route, and the offset of its source.
func (o *output) tag(out *task.Out) kafka.Tag {
	r := route{out.Kind, out.Step, out.Store, out.Origin.Topic, out.Origin.Partition}
	if len(o.routes) == 0 || o.routes[o.last] != r {
		o.last = o.find(r)
	}
	return kafka.Tag{o.id<<32 | int64(o.last), out.Origin.Offset}
}

// find returns the index of a route. It adds the route if it is new.
func (o *output) find(r route) int {
	for i := range o.routes {
		if o.routes[i] == r {
			return i
		}
	}
	o.routes = append(o.routes, r)
	return len(o.routes) - 1
}

// refusal converts a rejected record to the form that the task takes.
func (o *output) refusal(r *kafka.Refusal) task.Refusal {
	route := o.routes[r.Tag[0]&(1<<32-1)]
	return task.Refusal{
		Kind: route.kind, Step: route.step, Store: route.store, Key: r.Key, Cause: r,
		Origin: processor.Origin{Topic: route.topic, Partition: route.partition, Offset: r.Tag[1]},
	}
}

// settle calls finish, which is the producer's Flush or Commit. If the broker has rejected records, settle passes them to
// their tasks, which may write dead letters instead, and calls finish again.
func (w *worker) settle(finish func(context.Context) error) error {
	for {
		err := finish(w.ctx)
		var refused *kafka.RefusedError
		if !errors.As(err, &refused) {
			return w.nameWriter(err)
		}
		if err := w.refused(w.producer.TakeRefusals()); err != nil {
			return err
		}
	}
}

// refused passes rejected records to their tasks, together with the source records of those that become dead letters.
func (w *worker) refused(refusals []*kafka.Refusal) error {
	type pair struct {
		task    *running
		refusal task.Refusal
	}
	var pairs []pair
	wanted := map[kafka.TopicPartition][]int64{}
	for _, r := range refusals {
		t := w.taskOf(r.Tag)
		if t == nil {
			return fmt.Errorf("runner: a record of a closed task was rejected: %w", r)
		}
		p := pair{t, t.out.refusal(r)}
		pairs = append(pairs, p)
		if o := p.refusal.Origin; t.task.WantsSource(p.refusal) {
			tp := kafka.TopicPartition{Topic: o.Topic, Partition: o.Partition}
			wanted[tp] = append(wanted[tp], o.Offset)
		}
	}
	sources, err := w.r.readAgain(w.ctx, wanted)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if err := p.task.task.Refused(p.refusal, sources[p.refusal.Origin], time.Now()); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) taskOf(tag kafka.Tag) *running {
	for _, t := range w.tasks {
		if t.out.id == tag[0]>>32 {
			return t
		}
	}
	return nil
}

// nameWriter adds to the error of a partition the name of the step or store that writes to it.
func (w *worker) nameWriter(err error) error {
	var broken *kafka.PartitionError
	if !errors.As(err, &broken) {
		return err
	}
	for _, t := range w.tasks {
		for _, n := range t.sub.Nodes {
			if n.Writes != nil && w.r.names().Topic(n.Writes) == broken.Topic {
				return fmt.Errorf("%s (%s): %w", n.Label(), n.Where, err)
			}
		}
		for _, s := range t.sub.Stores {
			if w.r.names().Changelog(s.Name()) == broken.Topic {
				return fmt.Errorf("store %q: %w", s.Name(), err)
			}
		}
	}
	return err
}
