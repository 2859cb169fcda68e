package runner

import (
	"reflect"
	"testing"
)

func TestNotesAreReadAsWritten(t *testing.T) {
	for _, n := range []note{
		{stores: map[string]storeNote{}},
		{topic: "a-b_c", initialPartitions: 3, stores: map[string]storeNote{}},
		{stores: map[string]storeNote{}, reset: true},
		{topic: "x", stores: map[string]storeNote{
			"counts": {"id", "key-value string → json"}, "t.2": {"", "window 1m0s, a:b %=@ → c"},
		}},
	} {
		for _, before := range []string{"", "rio:1:5", "rio:2:-1 counts=7"} {
			metadata := before + n.String()
			if got := parseNote(metadata); !reflect.DeepEqual(got, n) {
				t.Errorf("%q is parsed as %+v, want %+v", metadata, got, n)
			}
			if got := withoutNote(metadata); got != before {
				t.Errorf("without its note %q is %q, want %q", metadata, got, before)
			}
		}
	}
	if got := parseNote("somebody else's @store=broken @first=x"); got.topic != "" || got.initialPartitions != 0 || len(got.stores) != 0 {
		t.Errorf("foreign metadata is parsed as %+v", got)
	}
}
