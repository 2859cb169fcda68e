package replica_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/replica"
	"github.com/rio-streams/rio/state"
)

// stores is a topology with a key-value store, a windowed store and a source table.
func stores() replica.Config {
	sub := &plan.Subtopology{Stores: []*plan.Store{
		{Definition: state.NewKeyValue("rows", codec.String, codec.String)},
		{Definition: state.NewWindow("windows", codec.String, codec.String, time.Minute, time.Hour)},
		{Definition: state.NewKeyValue("table", codec.String, codec.String), Source: "table"},
	}}
	p := &plan.Plan{Application: "app", Topics: map[string]*plan.Topic{"table": {Name: "table"}}, Subtopologies: []*plan.Subtopology{sub}}
	return replica.Config{Plan: p, Subtopology: sub, Partition: 3, Names: p.Names()}
}

func open(t *testing.T, db state.DB) *replica.Replica {
	t.Helper()
	r, err := replica.Open(db, stores())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func record(offset, ms int64, key, value string) plan.Raw {
	r := plan.Raw{Offset: offset, Timestamp: ms, Key: []byte(key)}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

func logs(r *replica.Replica) (all []string) {
	for _, l := range r.Logs() {
		all = append(all, fmt.Sprintf("%s: %s from %d source %v bound %q", l.Store, l.Topic, l.From, l.Source, l.Bound))
	}
	return all
}

// A replica can dump the records that it has applied, and it stores the topic ids that it was bound to.
func TestReplica(t *testing.T) {
	db := state.NewMemory()
	r := open(t, db)
	window := "k\x00\x00\x00\x00\x00\x00\xea\x60\x00\x00\x00\x00" // the window starts at 1 minute
	for topic, records := range map[string][]plan.Raw{
		"app-rows-changelog":    {record(0, 1, "a", "1"), record(1, 2, "b", "2"), record(2, 3, "a", "")},
		"app-windows-changelog": {record(5, 70_000, window, "w")},
	} {
		if err := r.Apply(topic, records, records[len(records)-1].Offset+2); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Bind(map[string]string{"app-rows-changelog": "id-1", "in": "id-2"}); err != nil {
		t.Fatal(err)
	}
	r.Close()

	r = open(t, db)
	defer r.Close()
	want := []string{
		`rows: app-rows-changelog from 4 source false bound "id-1"`,
		`windows: app-windows-changelog from 7 source false bound ""`,
		`table: table from 0 source true bound ""`,
	}
	if got := logs(r); !slices.Equal(got, want) {
		t.Errorf("logs %q, want %q", got, want)
	}
	if id, err := r.Bound("in"); err != nil || id != "id-2" {
		t.Errorf("in is bound to %q, %v", id, err)
	}
	var dumped []string
	for _, log := range r.Logs() {
		err := r.Dump(log, func(key, value []byte, ms int64) error {
			dumped = append(dumped, fmt.Sprintf("%s %q=%s at %d", log.Store, key, value, ms))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{`rows "b"=2 at 2`, fmt.Sprintf("windows %q=w at 70000", window)}; !slices.Equal(dumped, want) {
		t.Errorf("dumped %q, want %q", dumped, want)
	}
}
