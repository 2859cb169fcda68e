package topology

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
)

func drawHash(t *rapid.T) (h hash) {
	if rapid.Bool().Draw(t, "row") {
		h = hashOf(rapid.SliceOf(rapid.Byte()).Draw(t, "value"))
	}
	return h
}

// TestSubscriptionsAndResponses checks that decoding returns what was encoded, and that arbitrary bytes are decoded or refused without a panic.
func TestSubscriptionsAndResponses(t *testing.T) {
	someBytes := rapid.SliceOf(rapid.Byte())
	rapid.Check(t, func(t *rapid.T) {
		s := subscription{
			instruction: instruction(rapid.IntRange(0, len(instructions)-1).Draw(t, "instruction")),
			hash:        drawHash(t), primary: someBytes.Draw(t, "key"), partition: rapid.Int32Range(0, 1<<30).Draw(t, "partition"),
		}
		got, err := parseSubscription(s.append(nil))
		if err != nil || got.hash != s.hash || got.instruction != s.instruction || got.partition != s.partition || !bytes.Equal(got.primary, s.primary) {
			t.Fatalf("%+v became %+v, %v", s, got, err)
		}
		old := s.append(nil)
		old[0] &^= 1 // version 0, without a partition
		got, err = parseSubscription(old[:len(old)-partitionLen])
		if err != nil || got.hash != s.hash || got.partition != plan.ByKey || !bytes.Equal(got.primary, s.primary) {
			t.Fatalf("version 0 of %+v became %+v, %v", s, got, err)
		}
		r := response{s.hash, someBytes.Draw(t, "row")}
		if got, err := parseResponse(r.append(nil)); err != nil || got.hash != r.hash || !bytes.Equal(got.row, r.row) {
			t.Fatalf("%+v became %+v, %v", r, got, err)
		}
		random := someBytes.Draw(t, "random")
		formatSubscription(format(codec.String))(random)
		formatResponse(format(codec.String))(random)
	})
}

func TestRefusedSubscriptions(t *testing.T) {
	whole := (&subscription{hash: hashOf(nil), primary: []byte("key"), partition: 1}).append(nil)
	for name, data := range map[string][]byte{
		"nothing": nil, "a version": whole[:1], "no hash": whole[:17], "no partition": whole[:21],
		"an unknown instruction":   slices.Concat(whole[:1], []byte{9}, whole[2:]),
		"a newer version":          slices.Concat([]byte{2}, whole[1:]),
		"a partition that is none": slices.Concat(whole[:len(whole)-4], []byte{255, 255, 255, 255}),
	} {
		_, err := parseSubscription(data)
		if err == nil || strings.Contains(name, "newer") != strings.Contains(err.Error(), "version 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	answer := (&response{hash: hashOf(nil), row: []byte("row")}).append(nil)
	for name, data := range map[string][]byte{"nothing": nil, "no hash": answer[:16], "a newer version": slices.Concat([]byte{1}, answer[1:])} {
		if _, err := parseResponse(data); err == nil {
			t.Errorf("%s was decoded", name)
		}
	}
}
