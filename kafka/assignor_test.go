package kafka

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// In each round, members only release what they own and get what nobody owns. The rounds end with the assignor's
// target.
//
// Proves: one-owner-at-a-time
func TestCooperativeRoundsNeverShareAPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := map[string]int32{"clicks": rapid.Int32Range(0, 12).Draw(t, "clicks")}
		owned := map[string][]TopicPartition{}
		for change := range rapid.IntRange(1, 6).Draw(t, "changes") {
			ids := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 1, 5, rapid.ID).Draw(t, "members")
			for rounds := 0; ; rounds++ {
				members := newcomers(ids...)
				generations := map[string]int32{}
				for i, m := range members {
					members[i].Owned = owned[m.ID]
					generations[m.ID] = int32(change*10 + rounds)
				}
				shares := assignCooperatively(NewStickyAssignor(), members, generations, counts)
				next := map[string][]TopicPartition{}
				released := false
				for id, share := range shares {
					for other, has := range owned {
						if _, member := shares[other]; member && other != id && overlap(share.Partitions, has) {
							t.Fatalf("%s got %v, of which %s still owns some: %v", id, share.Partitions, other, has)
						}
					}
					released = released || len(without(owned[id], share.Partitions)) > 0
					next[id] = share.Partitions
				}
				owned = next
				if !released {
					break
				}
				if rounds > 1 {
					t.Fatalf("not settled after %d rounds", rounds)
				}
			}
			all := slices.Concat(slices.Collect(maps.Values(owned))...)
			sortPartitions(all)
			if n := int32(len(all)); n != counts["clicks"] || n != int32(len(slices.Compact(all))) {
				t.Fatalf("some of %d partitions are not assigned exactly once: %v", counts["clicks"], owned)
			}
		}
	})
}

func TestRivalClaims(t *testing.T) {
	p := TopicPartition{"clicks", 0}
	claim := func(generationOfB int32) map[string]Assignment {
		members := newcomers("a", "b")
		members[0].Owned, members[1].Owned = []TopicPartition{p}, []TopicPartition{p}
		return assignCooperatively(NewStickyAssignor(), members, map[string]int32{"a": 4, "b": generationOfB}, map[string]int32{"clicks": 1})
	}
	wantShares(t, claim(5), map[string][]TopicPartition{"b": {p}})
	wantShares(t, claim(3), map[string][]TopicPartition{"a": {p}})
	wantShares(t, claim(4), map[string][]TopicPartition{}) // both release it; the next round assigns it to one
}

func newcomers(ids ...string) []GroupMember {
	var members []GroupMember
	for _, id := range ids {
		members = append(members, GroupMember{ID: id, Topics: []string{"clicks"}})
	}
	return members
}

func overlap(a, b []TopicPartition) bool { return len(without(a, b)) < len(a) }

func wantShares(t *testing.T, shares map[string]Assignment, want map[string][]TopicPartition) {
	t.Helper()
	got := map[string][]TopicPartition{}
	for id, share := range shares {
		if len(share.Partitions) > 0 {
			got[id] = share.Partitions
		}
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("assigned %v, want %v", got, want)
	}
}

func TestParseAssignors(t *testing.T) {
	for names, want := range map[string]string{
		"range":                    "range",
		"range,cooperative-sticky": "range, cooperative-sticky",
		"roundrobin":               `unknown assignor "roundrobin": use cooperative-sticky, range or both`,
		"range,":                   `unknown assignor "": use cooperative-sticky, range or both`,
		"range,range":              "assignor range is named twice",
	} {
		assignors, err := ParseAssignors(names)
		got := assignorNames(assignors)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("ParseAssignors(%q): %s, want %s", names, got, want)
		}
	}
}
