package topologytest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topologytest"
)

var debts = state.NewKeyValue("debts", codec.String, codec.Int64)

// remind emits what a customer owes, a minute after the last change. Its values have no codec.
func remind(c *processor.Context[string, fmt.Stringer]) processor.Handler[string, func(int64) int64] {
	debts := debts.In(c)
	return func(r processor.Record[string, func(int64) int64]) error {
		debt, err := debts.Update(r.Key, r.Timestamp, func(n int64, _ bool) int64 { return r.Value(n) })
		if err != nil {
			return err
		}
		c.Alarm(c.Now().Add(time.Minute), processor.WallClock, func(time.Time) error {
			return c.Emit(r.Key, time.Duration(debt.New))
		})
		return nil
	}
}

func ExampleNewStep() {
	step, err := topologytest.NewStep(remind, debts)
	if err != nil {
		panic(err)
	}
	defer step.Close()
	borrow := func(n int64) int64 { return n + 5 }
	for range 2 {
		if err := step.Handle(processor.Record[string, func(int64) int64]{Key: "ana", Value: borrow}); err != nil {
			panic(err)
		}
		if err := step.Advance(time.Minute); err != nil {
			panic(err)
		}
		reminders, err := step.Take()
		fmt.Println(reminders[0].Key, reminders[0].Value, len(reminders), err)
		if err := step.Restart(); err != nil {
			panic(err)
		}
	}
	// Output:
	// ana 5ns 1 <nil>
	// ana 10ns 1 <nil>
}

func TestStepIsRefused(t *testing.T) {
	_, err := topologytest.NewStep(remind)
	if want := `task 0_0: process step: state: no store "debts"`; err == nil || err.Error()[:len(want)] != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
