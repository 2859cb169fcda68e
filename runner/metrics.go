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

// Metrics returns the metrics of the application, and of its embedded broker if it has one. Counters start at 0 when the
// process starts and never decrease. Every sample has the label application.
func (a *App) Metrics() metrics.Source { return appMetrics{a} }

// appMetrics implements metrics.Source for an application. Collect reads published values, so it never blocks processing.
type appMetrics struct{ app *App }

// Labels implements metrics.Source.
func (m appMetrics) Labels() map[string]string {
	return map[string]string{"application": m.app.runner.cfg.Application}
}

// Metrics implements metrics.Source.
func (m appMetrics) Metrics() []*metrics.Metric {
	if m.app.runner.meters.embedded {
		return append(metrics.Application(), metrics.Broker()...)
	}
	return metrics.Application()
}

// Collect implements metrics.Source.
func (m appMetrics) Collect(emit func(metrics.Sample)) {
	r := m.app.runner
	m.states(emit)
	assignments, sums := r.status.read()
	for _, a := range assignments {
		a.collect(emit)
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

// states emits the states of the application and its tasks.
func (m appMetrics) states(emit func(metrics.Sample)) {
	now := m.app.State()
	for state, name := range stateNames {
		emit(metrics.State.Of(oneIf(State(state) == now), name))
	}
	var tasks [len(taskStateNames)]int
	for _, a := range m.app.runner.status.assignments() {
		tasks[a.describe().State]++
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

// collect emits the progress of a task and the metrics of its database.
func (a *assignment) collect(emit func(metrics.Sample)) {
	t := a.describe()
	if t.State != Processing {
		reason, _ := a.waitsFor.Load().(string)
		if reason == waitOpening && t.Restored.Total > 0 {
			reason = waitRestore
		}
		if seen := a.seen.Load(); seen != nil && t.State == Stalled {
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
	if db := a.database.Load(); db != nil {
		if m, ok := pebblestore.MetricsOf(*db); ok {
			emit(metrics.StateBytes.Of(float64(m.DiskBytes), t.Name))
			emit(metrics.MemtableBytes.Of(float64(m.MemtableBytes), t.Name))
			emit(metrics.CompactionDebt.Of(float64(m.CompactionDebt), t.Name))
			emit(metrics.L0Files.Of(float64(m.L0Files), t.Name))
			emit(metrics.L0Sublevels.Of(float64(m.L0Sublevels), t.Name))
		}
	}
}

// collectCounters emits the counters of a sub-topology, summed over all tasks that this process has or had.
func collectCounters(c Counters, subtopology string, emit func(metrics.Sample)) {
	emit(metrics.RecordsProcessed.Of(float64(c.Processed), subtopology))
	emit(metrics.RecordsSent.Of(float64(c.Sent), subtopology))
	for _, d := range c.Drops {
		emit(metrics.RecordsDropped.Of(float64(d.Count), subtopology, d.Step, d.Reason))
	}
	for _, e := range c.Events {
		emit(metrics.StepEvents.Of(float64(e.Count), subtopology, e.Step, e.Name))
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

// collect emits the measurements of the runner's goroutines.
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

// collect emits the measurements of one worker.
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

// collectCalls emits the current calls of user code, including abandoned ones that have not returned.
func (r *runner) collectCalls(emit func(metrics.Sample)) {
	elapsed, hung := map[string]time.Duration{}, 0
	for id := range r.meters.workers {
		w := r.meters.workers[id].Load()
		if w == nil {
			continue
		}
		if d, call := w.call.elapsed(); call.of(calling) {
			if t := w.call.task.Load(); t != nil {
				elapsed[t.name] = d
			}
		}
	}
	r.hanging.calls.Range(func(call, _ any) bool {
		stuck := call.(*stuckCall)
		elapsed[stuck.err.Task] = clock() - stuck.began
		hung++
		return true
	})
	for _, task := range slices.Sorted(maps.Keys(elapsed)) {
		emit(metrics.CallRunning.Of(elapsed[task].Seconds(), task))
	}
	emit(metrics.Hung.Of(float64(hung)))
}

// collectResources emits the metrics that all databases of the process share.
func collectResources(m pebblestore.ResourceMetrics, emit func(metrics.Sample)) {
	emit(metrics.Compactions.Of(float64(m.Compactions)))
	emit(metrics.CompactionSeconds.Of(m.CompactionSeconds))
	emit(metrics.WriteStalls.Of(float64(m.WriteStalls)))
	emit(metrics.WriteStalled.Of(float64(m.Stalled)))
	emit(metrics.BlockCacheBytes.Of(float64(m.BlockCacheBytes)))
	emit(metrics.BlockCacheHits.Of(float64(m.BlockCacheHits)))
	emit(metrics.BlockCacheMisses.Of(float64(m.BlockCacheMisses)))
}
