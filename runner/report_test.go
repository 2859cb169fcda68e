package runner

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
)

// TestReportsAreBounded: the first event of a kind is logged at once, and further events once per interval, with a count.
func TestReportsAreBounded(t *testing.T) {
	var out strings.Builder
	drop := func(attrs []string, a slog.Attr) slog.Attr {
		if len(attrs) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	r := newReports(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: drop})))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	expect := func(want string) {
		t.Helper()
		if got := out.String(); got != want {
			t.Errorf("log:\n%swant:\n%s", got, want)
		}
		out.Reset()
	}
	late := func(n, offset int64) Counters {
		return Counters{Drops: []Drop{{
			Step: "window tumbling 1m0s (main.go:7)", Reason: "late", Count: n,
			Example: processor.Origin{Topic: "positions", Partition: 3, Offset: offset},
		}}}
	}

	r.dropped(now, Counters{}, late(2, 40))
	expect(`level=WARN msg="records dropped" count=2 step="window tumbling 1m0s (main.go:7)" reason=late example="positions/3 at 40"` + "\n")
	r.dropped(now.Add(time.Second), late(2, 40), late(900, 1000))
	r.dropped(now.Add(2*time.Second), late(900, 1000), late(901, 1001))
	r.dropped(now.Add(3*time.Second), late(901, 1001), late(901, 1001)) // nothing new
	expect("")
	r.flush(now.Add(reportInterval), false)
	expect(`level=WARN msg="records dropped" count=899 step="window tumbling 1m0s (main.go:7)" reason=late example="positions/3 at 1001"` + "\n")

	for offset := range int64(3) {
		r.failed(now, &processor.Error{
			Stage: processor.Decode, Origin: processor.Origin{Topic: "positions", Offset: offset}, Err: errors.New("not JSON"),
		}, task.Skipped)
	}
	expect(`level=WARN msg="record failed" count=1 outcome=skipped stage=decode step="" error="decode positions/0 at 0: not JSON"` + "\n")
	r.flush(now, true) // at the end of a run all are logged
	expect(`level=WARN msg="record failed" count=2 outcome=skipped stage=decode step="" error="decode positions/0 at 2: not JSON"` + "\n")
}
