package runner

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state/pebblestore"
)

// Metrics returns what the application measures of itself, and its embedded broker if it has one. Counters go back to 0 only with the process. Every sample has
// the label application.
func (a *App) Metrics() metrics.Source { return measured{a} }

// measured is an application as a source of metrics. What it emits was published by those who did the work, so that Collect
// makes nobody wait.
type measured struct{ app *App }

// Labels implements metrics.Source.
func (m measured) Labels() map[string]string {
	return map[string]string{"application": m.app.runner.cfg.Application}
}

// Metrics implements metrics.Source.
func (m measured) Metrics() []*metrics.Metric {
	if m.app.runner.meters.embedded {
		return append(metrics.Application(), metrics.Broker()...)
	}
	return metrics.Application()
}

// Collect implements metrics.Source.
func (m measured) Collect(emit func(metrics.Sample)) {
	r := m.app.runner
	m.states(emit)
	units, sums := r.status.read()
	for _, u := range units {
		u.collect(emit)
	}
	for _, sub := range r.plan.Subtopologies {
		collectCounters(sums[sub.ID], strconv.Itoa(sub.ID), emit)
	}
	r.meters.collect(emit)
	r.collectCalls(emit)
	if shared := r.meters.shared.Load(); shared != nil {
		emit(metrics.CacheBytes.Of(float64(shared.budget.Used())))
		collectResources(shared.resources.Metrics(), emit)
	}
	if b := r.meters.broker.Load(); b != nil {
		b.Metrics().Collect(emit)
	}
}

// states emits what the application and its tasks are doing.
func (m measured) states(emit func(metrics.Sample)) {
	now := m.app.State()
	for state, name := range stateNames {
		emit(metrics.State.Of(oneIf(State(state) == now), name))
	}
	var tasks [len(taskStateNames)]int
	for _, u := range m.app.runner.status.units() {
		tasks[u.describe().State]++
	}
	for state, n := range tasks {
		emit(metrics.Tasks.Of(float64(n), taskStateNames[state]))
	}
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// collect emits how far a task has come, and what its database measures.
func (u *unit) collect(emit func(metrics.Sample)) {
	t := u.describe()
	if t.State != Processing {
		reason, _ := u.waitsFor.Load().(string)
		if reason == waitOpening && t.Restored.Total > 0 {
			reason = waitRestore
		}
		if seen := u.seen.Load(); seen != nil && t.State == Stalled {
			reason = seen.kind
		}
		emit(metrics.Waiting.Of(1, t.Name, reason))
	}
	if t.Restored.Total > 0 {
		emit(metrics.RestoreOffsets.Of(float64(t.Restored.Total), t.Name))
		emit(metrics.RestoreLeft.Of(float64(t.Restored.Total-t.Restored.Done), t.Name))
	}
	if !t.StreamTime.IsZero() {
		emit(metrics.StreamTime.Of(float64(t.StreamTime.UnixMilli())/1000, t.Name))
	}
	for _, in := range t.Inputs {
		emit(metrics.Lag.Of(float64(in.Lag()), t.Name, in.Topic))
		emit(metrics.BufferedRecords.Of(float64(in.Buffered), t.Name, in.Topic))
		emit(metrics.BufferedBytes.Of(float64(in.BufferedBytes), t.Name, in.Topic))
	}
	if db := u.database.Load(); db != nil {
		if m, ok := pebblestore.MetricsOf(*db); ok {
			emit(metrics.StateBytes.Of(float64(m.DiskBytes), t.Name))
			emit(metrics.MemtableBytes.Of(float64(m.MemtableBytes), t.Name))
			emit(metrics.CompactionDebt.Of(float64(m.CompactionDebt), t.Name))
			emit(metrics.L0Files.Of(float64(m.L0Files), t.Name))
			emit(metrics.L0Sublevels.Of(float64(m.L0Sublevels), t.Name))
		}
	}
}

// collectCounters emits what the tasks of a sub-topology have done, those included that this process had before.
func collectCounters(c Counters, subtopology string, emit func(metrics.Sample)) {
	emit(metrics.RecordsProcessed.Of(float64(c.Processed), subtopology))
	emit(metrics.RecordsSent.Of(float64(c.Sent), subtopology))
	for _, d := range c.Drops {
		emit(metrics.RecordsDropped.Of(float64(d.Count), subtopology, d.Step, d.Reason))
	}
	stages := func(m *metrics.Metric, counts map[processor.Stage]int64) {
		for _, stage := range slices.Sorted(maps.Keys(counts)) {
			emit(m.Of(float64(counts[stage]), subtopology, string(stage)))
		}
	}
	stages(metrics.RecordsSkipped, c.Skipped)
	stages(metrics.RecordsDeadLettered, c.DeadLettered)
	for _, store := range slices.Sorted(maps.Keys(c.Lookups)) {
		emit(metrics.CacheHits.Of(float64(c.Lookups[store].Hits), subtopology, store))
		emit(metrics.CacheMisses.Of(float64(c.Lookups[store].Misses), subtopology, store))
	}
}

// collect emits what the workers measure.
func (m *meters) collect(emit func(metrics.Sample)) {
	for id := range m.workers {
		if w := m.workers[id].Load(); w != nil {
			w.collect(strconv.Itoa(id), emit)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.latency)) {
		emit(metrics.Latency.OfHistogram(m.latency[id], strconv.Itoa(id)))
	}
	emit(metrics.CommitDuration.OfHistogram(m.commits))
	emit(metrics.TurnDuration.OfHistogram(m.turns))
	emit(metrics.TransactionsAborted.Of(float64(m.aborted.Load())))
	m.retries.Collect(metrics.Retries, emit)
	m.restarts.Collect(metrics.Restarts, emit)
	m.rebalances.Collect(metrics.Rebalances, emit)
}

// collect emits what a worker measures of itself.
func (w *worker) collect(id string, emit func(metrics.Sample)) {
	age := 0.0
	if since := w.meter.dirtySince.Load(); since > 0 {
		age = (clock() - time.Duration(since)).Seconds()
	}
	emit(metrics.CommitAge.Of(age, id))
	emit(metrics.DirtyBytes.Of(float64(w.meter.dirtyBytes.Load()), id))
	if p := w.sending.Load(); p != nil {
		emit(metrics.ProducerBytes.Of(float64(p.Buffered()), id))
	}
}

// collectCalls emits the calls of user code that are under way, and those that were given up and have not returned.
func (r *runner) collectCalls(emit func(metrics.Sample)) {
	lasting, hung := map[string]time.Duration{}, 0
	for id := range r.meters.workers {
		w := r.meters.workers[id].Load()
		if w == nil {
			continue
		}
		if d, call := w.call.lasting(); call.of(calling) {
			if t := w.call.task.Load(); t != nil {
				lasting[t.name] = d
			}
		}
	}
	r.hanging.calls.Range(func(call, _ any) bool {
		stuck := call.(*stuckCall)
		lasting[stuck.err.Task] = clock() - stuck.began
		hung++
		return true
	})
	for _, task := range slices.Sorted(maps.Keys(lasting)) {
		emit(metrics.CallRunning.Of(lasting[task].Seconds(), task))
	}
	emit(metrics.Hung.Of(float64(hung)))
}

// collectResources emits what all databases of the process have done.
func collectResources(m pebblestore.ResourceMetrics, emit func(metrics.Sample)) {
	emit(metrics.Compactions.Of(float64(m.Compactions)))
	emit(metrics.CompactionSeconds.Of(m.CompactionSeconds))
	emit(metrics.WriteStalls.Of(float64(m.WriteStalls)))
	emit(metrics.WriteStalled.Of(float64(m.Stalled)))
	emit(metrics.BlockCacheBytes.Of(float64(m.BlockCacheBytes)))
	emit(metrics.BlockCacheHits.Of(float64(m.BlockCacheHits)))
	emit(metrics.BlockCacheMisses.Of(float64(m.BlockCacheMisses)))
}
