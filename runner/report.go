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

// reportInterval is how often one kind of event is logged.
const reportInterval = 10 * time.Second

// reports logs what may happen for every record: each kind of event at once when it happens first, and after that at most
// once in an interval, with the number of events since the line before and the latest as an example.
type reports struct {
	log   *slog.Logger
	mu    sync.Mutex
	kinds map[string]*report
}

// report is one kind of event.
type report struct {
	level   slog.Level
	message string
	attrs   []slog.Attr // what the kind is
	logged  time.Time
	count   int64 // since then
	example slog.Attr
}

func newReports(log *slog.Logger) *reports {
	return &reports{log: log, kinds: map[string]*report{}}
}

// add notes n events of a kind, which message and attrs name.
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

// flush logs what has not been logged yet and is due; with all, what is not due, too.
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

// dropped reports what operators have left out since the counters were published before.
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
		if d.Reason == string(plan.Tombstone) { // often on purpose
			level = slog.LevelInfo
		}
		r.add(now, level, "records dropped", n, slog.String("example", from(d.Example)),
			slog.String("step", d.Step), slog.String("reason", d.Reason))
	}
}

// failed reports a record that failed, and what became of it.
func (r *reports) failed(now time.Time, e *processor.Error, done task.Outcome) {
	r.add(now, slog.LevelWarn, "record failed", 1, slog.Any("error", e),
		slog.String("outcome", string(done)), slog.String("stage", string(e.Stage)), slog.String("step", e.Step))
}

// from names where a record came from: "topic/partition at offset".
func from(o processor.Origin) string {
	if o.Topic == "" {
		return "a timer"
	}
	return o.String()
}
