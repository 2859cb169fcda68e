package kafka

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A group of two topics that are read together, one of a single topic, and one topic in no group.
var taskGroups = [][]string{{"orders", "customers"}, {"clicks"}}

var allTopics = []string{"orders", "customers", "clicks", "alone"}

func TestTaskAssignorKeepsCopartitionsTogether(t *testing.T) {
	counts := map[string]int32{"orders": 4, "customers": 4, "clicks": 2}
	shares := NewTaskAssignor(taskGroups).Assign(newcomers("a", "b"), counts)
	for id, share := range shares {
		for _, tp := range share.Partitions {
			twin := TopicPartition{map[string]string{"orders": "customers", "customers": "orders", "clicks": "clicks"}[tp.Topic], tp.Partition}
			if !slices.Contains(share.Partitions, twin) {
				t.Errorf("%s has %v without %v", id, tp, twin)
			}
		}
	}
}

func TestTaskGoesWhereItsStateIs(t *testing.T) {
	members := newcomers("a", "b", "c")
	members[0].UserData = EncodeTaskStates([]TaskState{{Group: 1, Partition: 0, Position: 10}, {Group: 1, Partition: 2, Position: 99}})
	members[1].UserData = EncodeTaskStates([]TaskState{{Group: 1, Partition: 0, Position: 11}})
	shares := NewTaskAssignor(taskGroups).Assign(members, map[string]int32{"clicks": 3})
	wantShares(t, shares, map[string][]TopicPartition{"a": {{"clicks", 2}}, "b": {{"clicks", 0}}, "c": {{"clicks", 1}}})
}

// A member comes back after a restart: the others give up what it has the state of, not anything else.
func TestReturningMemberGetsItsTasksBack(t *testing.T) {
	counts := map[string]int32{"clicks": 6}
	before := settle(newcomers("a", "b", "c"), counts)
	had := before["b"].Partitions
	without := settle(owning(newcomers("a", "c"), before), counts)

	back := owning(newcomers("a", "c", "b2"), without)
	var states []TaskState
	for _, tp := range had {
		states = append(states, TaskState{Group: 1, Partition: tp.Partition, Position: 1000})
	}
	back[2].UserData = EncodeTaskStates(states)
	if after := settle(back, counts); !slices.Equal(after["b2"].Partitions, had) {
		t.Errorf("b had %v, and came back to %v", had, after["b2"].Partitions)
	}
}

func TestMemberGetsOnlyTopicsItSubscribesTo(t *testing.T) {
	members := newcomers("new", "old")
	members[1].Topics = []string{"clicks"}
	shares := NewTaskAssignor(taskGroups).Assign(members, map[string]int32{"orders": 3, "customers": 3, "clicks": 2})
	for _, tp := range shares["old"].Partitions {
		if tp.Topic != "clicks" {
			t.Errorf("old got %v", tp)
		}
	}
	if n := len(shares["old"].Partitions) + len(shares["new"].Partitions); n != 8 {
		t.Errorf("%d of 8 partitions assigned: %v", n, shares)
	}
}

func TestTaskAssignorProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := map[string]int32{"alone": rapid.Int32Range(0, 9).Draw(t, "alone"), "clicks": rapid.Int32Range(0, 9).Draw(t, "clicks")}
		counts["orders"] = rapid.Int32Range(0, 9).Draw(t, "orders")
		counts["customers"] = counts["orders"]
		n := rapid.IntRange(1, 7).Draw(t, "members")
		var members []GroupMember
		for i := range n {
			m := newcomers(fmt.Sprint("m", i))[0]
			m.UserData = EncodeTaskStates(drawStates(t))
			members = append(members, m)
		}

		first := settle(members, counts)
		checkComplete(t, first, counts)
		checkBalance(t, first)

		again := settle(owning(shuffled(members), first), counts)
		if !reflect.DeepEqual(first, again) {
			t.Fatalf("nothing happened, and tasks moved:\n%v\n%v", first, again)
		}

		joiner := newcomers(fmt.Sprint("m", n))[0]
		grown := settle(owning(append(slices.Clone(members), joiner), first), counts)
		checkComplete(t, grown, counts)
		checkBalance(t, grown)
		if moved, needed := movedTasks(first, grown), len(tasksOf(grown[joiner.ID])); moved != needed {
			t.Fatalf("a member with %d tasks joined, and %d moved:\n%v\n%v", needed, moved, first, grown)
		}

		gone := rapid.IntRange(0, n-1).Draw(t, "gone")
		if n == 1 {
			return
		}
		rest := slices.Delete(slices.Clone(members), gone, gone+1)
		shrunk := settle(owning(rest, first), counts)
		checkComplete(t, shrunk, counts)
		checkBalance(t, shrunk)
		if moved, needed := movedTasks(first, shrunk), len(tasksOf(first[members[gone].ID])); moved != needed {
			t.Fatalf("a member with %d tasks left, and %d moved:\n%v\n%v", needed, moved, first, shrunk)
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
				shares := assignCooperatively(NewTaskAssignor(taskGroups), members, generations, counts)
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
		return assignCooperatively(NewTaskAssignor(taskGroups), members, map[string]int32{"a": 4, "b": generationOfB}, map[string]int32{"clicks": 1})
	}
	wantShares(t, claim(5), map[string][]TopicPartition{"b": {p}})
	wantShares(t, claim(3), map[string][]TopicPartition{"a": {p}})
	wantShares(t, claim(4), map[string][]TopicPartition{}) // both release it; the next round gives it to one
}

func TestTaskStatesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := drawStates(t)
		got, err := DecodeTaskStates(EncodeTaskStates(states))
		if err != nil || len(got)+len(states) > 0 && !slices.Equal(got, states) {
			t.Fatalf("%v became %v, %v", states, got, err)
		}
	})
}

func TestTaskStatesOfAnotherVersion(t *testing.T) {
	if _, err := DecodeTaskStates([]byte{2, 0}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
}

func FuzzDecodeTaskStates(f *testing.F) {
	f.Add(EncodeTaskStates([]TaskState{{1, 2, 3}, {0, 70000, -5}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		states, err := DecodeTaskStates(b)
		if err != nil {
			return
		}
		if again, err := DecodeTaskStates(EncodeTaskStates(states)); err != nil || len(states) > 0 && !slices.Equal(again, states) {
			t.Fatalf("%v became %v, %v", states, again, err)
		}
	})
}

func drawStates(t *rapid.T) []TaskState {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) TaskState {
		return TaskState{rapid.IntRange(0, 3).Draw(t, "group"), rapid.Int32Range(0, 9).Draw(t, "partition"), rapid.Int64().Draw(t, "position")}
	}), 0, 8).Draw(t, "states")
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
	return NewTaskAssignor(taskGroups).Assign(members, counts)
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
		sizes = append(sizes, len(tasksOf(share)))
	}
	if slices.Max(sizes)-slices.Min(sizes) > 1 {
		t.Fatalf("unbalanced: %v", shares)
	}
}

// tasksOf returns the tasks by the partition that stands for them.
func tasksOf(share Assignment) []TopicPartition {
	return slices.DeleteFunc(slices.Clone(share.Partitions), func(tp TopicPartition) bool { return tp.Topic == "customers" })
}

func movedTasks(before, after map[string]Assignment) int {
	moved := 0
	for id, share := range after {
		moved += len(without(tasksOf(share), before[id].Partitions))
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
