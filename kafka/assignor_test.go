package kafka

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var allTopics = []string{"orders", "clicks", "alone"}

func TestMemberGetsOnlyTopicsItSubscribesTo(t *testing.T) {
	members := newcomers("new", "old", "odd")
	members[1].Topics = []string{"clicks"}
	members[2].Topics = nil
	shares := settle(members, map[string]int32{"orders": 3, "clicks": 3})
	for _, tp := range shares["old"].Partitions {
		if tp.Topic != "clicks" {
			t.Errorf("old got %v", tp)
		}
	}
	if old, n := len(shares["old"].Partitions), len(shares["new"].Partitions); old != 3 || n != 3 || len(shares["odd"].Partitions) != 0 {
		t.Errorf("assigned %v", shares)
	}
}

func TestStickyAssignorProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := map[string]int32{}
		for _, topic := range allTopics {
			counts[topic] = rapid.Int32Range(0, 9).Draw(t, topic)
		}
		n := rapid.IntRange(1, 7).Draw(t, "members")
		var members []GroupMember
		for i := range n {
			members = append(members, newcomers(fmt.Sprint("m", i))...)
		}
		first := settle(members, counts)
		checkComplete(t, first, counts)
		checkBalance(t, first)

		again := settle(owning(shuffled(members), first), counts)
		if !reflect.DeepEqual(first, again) {
			t.Fatalf("nothing happened, and partitions moved:\n%v\n%v", first, again)
		}

		joiner := newcomers(fmt.Sprint("m", n))[0]
		grown := settle(owning(append(slices.Clone(members), joiner), first), counts)
		checkComplete(t, grown, counts)
		checkBalance(t, grown)
		if moved, needed := moved(first, grown), len(grown[joiner.ID].Partitions); moved != needed {
			t.Fatalf("a member with %d partitions joined, and %d moved:\n%v\n%v", needed, moved, first, grown)
		}

		gone := rapid.IntRange(0, n-1).Draw(t, "gone")
		if n == 1 {
			return
		}
		rest := slices.Delete(slices.Clone(members), gone, gone+1)
		shrunk := settle(owning(rest, first), counts)
		checkComplete(t, shrunk, counts)
		checkBalance(t, shrunk)
		if moved, needed := moved(first, shrunk), len(first[members[gone].ID].Partitions); moved != needed {
			t.Fatalf("a member with %d partitions left, and %d moved:\n%v\n%v", needed, moved, first, shrunk)
		}
	})
}

// Round by round, members only ever give up what they own and get what nobody owns; and it ends where the assignor wants.
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
			shares := map[string]Assignment{}
			for id, tps := range owned {
				shares[id] = Assignment{Partitions: tps}
			}
			checkComplete(t, shares, counts)
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
	wantShares(t, claim(4), map[string][]TopicPartition{}) // both release it; the next round gives it to one
}

func newcomers(ids ...string) []GroupMember {
	var members []GroupMember
	for _, id := range ids {
		members = append(members, GroupMember{ID: id, Topics: allTopics})
	}
	return members
}

// owning returns members with what they were assigned.
func owning(members []GroupMember, shares map[string]Assignment) []GroupMember {
	members = slices.Clone(members)
	for i, m := range members {
		members[i].Owned = shares[m.ID].Partitions
	}
	return members
}

func settle(members []GroupMember, counts map[string]int32) map[string]Assignment {
	return NewStickyAssignor().Assign(members, counts)
}

func shuffled(members []GroupMember) []GroupMember {
	members = slices.Clone(members)
	rand.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return members
}

func checkComplete(t *rapid.T, shares map[string]Assignment, counts map[string]int32) {
	times := map[TopicPartition]int{}
	for _, share := range shares {
		for _, tp := range share.Partitions {
			times[tp]++
		}
	}
	for topic, n := range counts {
		for p := range n {
			if tp := (TopicPartition{topic, p}); times[tp] != 1 {
				t.Fatalf("%v is assigned %d times: %v", tp, times[tp], shares)
			}
		}
	}
}

func checkBalance(t *rapid.T, shares map[string]Assignment) {
	var sizes []int
	for _, share := range shares {
		sizes = append(sizes, len(share.Partitions))
	}
	if slices.Max(sizes)-slices.Min(sizes) > 1 {
		t.Fatalf("unbalanced: %v", shares)
	}
}

func moved(before, after map[string]Assignment) int {
	moved := 0
	for id, share := range after {
		moved += len(without(share.Partitions, before[id].Partitions))
	}
	return moved
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
