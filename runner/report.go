package runner

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
)

// reportInterval is the minimum time between two log messages about one kind of event.
const reportInterval = 10 * time.Second

// reports logs events that may happen for every record. The first event of a kind is logged at once. After that, each kind
// is logged at most once per reportInterval, with the number of events since the last message and the latest event as an
// example.
type reports struct {
	log   *slog.Logger
	mu    sync.Mutex
	kinds map[string]*report
}

// report counts the events of one kind.
type report struct {
	level   slog.Level
	message string
	attrs   []slog.Attr // identify the kind, together with message
	logged  time.Time
	count   int64 // events since logged
	example slog.Attr
}

func newReports(log *slog.Logger) *reports {
	return &reports{log: log, kinds: map[string]*report{}}
}

// add counts n events of the kind that message and attrs identify, and logs them if a message is due.
func (r *reports) add(now time.Time, level slog.Level, message string, n int64, example slog.Attr, attrs ...slog.Attr) {
	var key strings.Builder
	key.WriteString(message)
	for _, a := range attrs {
		fmt.Fprintf(&key, "\x00%s", a.Value)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kinds[key.String()]
	if k == nil {
		k = &report{level: level, message: message, attrs: attrs}
		r.kinds[key.String()] = k
	}
	k.count += n
	k.example = example
	if now.Sub(k.logged) >= reportInterval {
		r.write(now, k)
	}
}

// flush logs the unlogged events of the kinds that are due, or of all kinds if all is true.
func (r *reports) flush(now time.Time, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.kinds {
		if k.count > 0 && (all || now.Sub(k.logged) >= reportInterval) {
			r.write(now, k)
		}
	}
}

func (r *reports) write(now time.Time, k *report) {
	attrs := append([]slog.Attr{slog.Int64("count", k.count)}, k.attrs...)
	r.log.LogAttrs(context.Background(), k.level, k.message, append(attrs, k.example)...)
	k.logged, k.count = now, 0
}

// dropped reports the records that operators have dropped between two states of the counters.
func (r *reports) dropped(now time.Time, before, after Counters) {
	known := map[[2]string]int64{}
	for _, d := range before.Drops {
		known[[2]string{d.Step, d.Reason}] = d.Count
	}
	for _, d := range after.Drops {
		n := d.Count - known[[2]string{d.Step, d.Reason}]
		if n == 0 {
			continue
		}
		level := slog.LevelWarn
		switch plan.DropReason(d.Reason) {
		case plan.Tombstone, plan.Duplicate, plan.Unrouted: // often on purpose
			level = slog.LevelInfo
		}
		r.add(now, level, "records dropped", n, slog.String("example", from(d.Example)),
			slog.String("step", d.Step), slog.String("reason", d.Reason))
	}
}

// failed reports a failed record and its outcome.
func (r *reports) failed(now time.Time, e *processor.Error, done task.Outcome) {
	r.add(now, slog.LevelWarn, "record failed", 1, slog.Any("error", e),
		slog.String("outcome", string(done)), slog.String("stage", string(e.Stage)), slog.String("step", e.Step))
}

// from describes the origin of a record: "topic/partition at offset", or "a timer".
func from(o processor.Origin) string {
	if o.Topic == "" {
		return "a timer"
	}
	return o.String()
}
