package runner

import (
	"maps"
	"slices"
	"strconv"

	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/processor"
)

// Metrics returns what the application measures of itself. Counters go back to 0 only with the process. Every sample has
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
func (m measured) Metrics() []*metrics.Metric { return metrics.Application() }

// Collect implements metrics.Source.
func (m measured) Collect(emit func(metrics.Sample)) {
	r := m.app.runner
	m.states(emit)
	units, sums := r.status.read()
	for _, u := range units {
		collectTask(u.describe(), emit)
	}
	for _, sub := range r.plan.Subtopologies {
		collectCounters(sums[sub.ID], strconv.Itoa(sub.ID), emit)
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

// collectTask emits how far a task has come.
func collectTask(t TaskStatus, emit func(metrics.Sample)) {
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
}
