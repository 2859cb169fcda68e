package topology

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/processor"
)

// TestHeldHeaders: a header without a value and one with an empty value are different.
func TestHeldHeaders(t *testing.T) {
	want := []processor.Header{{Key: "null"}, {Key: "empty", Value: []byte{}}, {Key: "full", Value: []byte("v")}}
	held := heldValue{headers: want, value: []byte{}}
	var got heldValue
	if err := got.parse(held.append(nil, 1)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}
