package tracking

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
)

// accounts is the store of the aggregate that topic contas is made of.
var accounts = state.NewKeyValue("contas", codec.String, codec.JSON[fleet.Account]())

var (
	rowsRead = &metrics.Metric{
		Name: "fleet_rows_total", Kind: metrics.CounterKind, Unit: metrics.Records,
		Help: "Rows of positions that were read, without those that cannot be decoded.",
	}
	rowsLeftOut = &metrics.Metric{
		Name: "fleet_rows_left_out_total", Kind: metrics.CounterKind, Unit: metrics.Records, Labels: []string{"reason"},
		Help: "Rows of positions that count for no result.",
	}
	fixesLate = &metrics.Metric{
		Name: "fleet_fixes_late_total", Kind: metrics.CounterKind, Unit: metrics.Records,
		Help: "Fixes that came after their window had closed, and count for no speed from positions.",
	}
)

// Metrics returns the account of rows as metrics. They count since the beginning of the log, in those tasks of the application that are in
// this process. Rows that cannot be decoded are counted by rio_records_skipped_total and rio_records_dead_lettered_total of the application.
func Metrics(app *runner.App) (metrics.Source, error) {
	store, err := runner.Local(app, accounts)
	if err != nil {
		return nil, err
	}
	return accountMetrics{store}, nil
}

type accountMetrics struct {
	store *runner.LocalStore[string, fleet.Account]
}

func (accountMetrics) Labels() map[string]string { return nil }

func (accountMetrics) Metrics() []*metrics.Metric {
	return []*metrics.Metric{rowsRead, rowsLeftOut, fixesLate}
}

// Collect emits nothing while a task is restored or moved: a smaller sum would look like a restart of the counter.
func (m accountMetrics) Collect(emit func(metrics.Sample)) {
	var sum fleet.Account
	for row, err := range m.store.All() {
		if err != nil {
			return
		}
		sum = sum.Plus(row.Value)
	}
	emit(rowsRead.Of(float64(sum.Rows)))
	emit(fixesLate.Of(float64(sum.Late)))
	for _, reason := range fleet.Reasons {
		if reason != fleet.Unreadable {
			emit(rowsLeftOut.Of(float64(sum.LeftOut[reason]), string(reason)))
		}
	}
}
