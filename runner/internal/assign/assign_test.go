package assign

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/kafka/kafkatest"
)

// A group of two co-partitioned topics, one of a single topic, and one topic in no group.
var taskGroups = []Group{
	{Topics: []string{"orders", "customers"}, Stores: []string{"balances", "limits"}},
	{Topics: []string{"clicks"}, Stores: []string{"seen"}},
}

var allTopics = []string{"orders", "customers", "clicks", "alone"}

func TestAssignorKeepsCopartitionsTogether(t *testing.T) {
	counts := map[string]int32{"orders": 4, "customers": 4, "clicks": 2}
	shares := New(taskGroups, nil).Assign(newcomers("a", "b"), counts)
	for id, share := range shares {
		for _, tp := range share.Partitions {
			twin := kafka.TopicPartition{Topic: map[string]string{"orders": "customers", "customers": "orders", "clicks": "clicks"}[tp.Topic], Partition: tp.Partition}
			if !slices.Contains(share.Partitions, twin) {
				t.Errorf("%s has %v without %v", id, tp, twin)
			}
		}
	}
}

// Proves: stable-placement
func TestTaskGoesToTheMemberWithTheLatestState(t *testing.T) {
	has := func(stores ...Store) []byte { return Encode(Member{Stores: stores}) }
	old := []byte("\x01" + "\x02" + "\x01\x01\x80\x94\x88\xa0\xec\x69" + "\x00\x00\x80\x94\x88\xa0\xec\x69") // clicks 1 and orders 0, changed in 2025
	for name, test := range map[string]struct {
		a, b, c []byte
		counts  map[string]int32
		want    map[string][]kafka.TopicPartition
	}{
		"further": {
			has(Store{"seen", 0, 10}, Store{"seen", 2, 99}), has(Store{"seen", 0, 11}), nil,
			map[string]int32{"clicks": 3},
			map[string][]kafka.TopicPartition{"a": {{Topic: "clicks", Partition: 2}}, "b": {{Topic: "clicks", Partition: 0}}, "c": {{Topic: "clicks", Partition: 1}}},
		},
		"all stores of a task count": {
			has(Store{"balances", 0, 10}), has(Store{"balances", 0, 9}, Store{"limits", 0, 2}), nil,
			map[string]int32{"orders": 1, "customers": 1},
			map[string][]kafka.TopicPartition{"b": {{Topic: "orders", Partition: 0}, {Topic: "customers", Partition: 0}}},
		},
		"a position is better than none": {
			has(Store{"seen", 1, Unknown}), has(Store{"seen", 1, 0}), nil,
			map[string]int32{"clicks": 2},
			map[string][]kafka.TopicPartition{"a": {{Topic: "clicks", Partition: 0}}, "b": {{Topic: "clicks", Partition: 1}}},
		},
		"some state is better than none": {
			nil, nil, has(Store{"seen", 0, Unknown}),
			map[string]int32{"clicks": 1},
			map[string][]kafka.TopicPartition{"c": {{Topic: "clicks", Partition: 0}}},
		},
		"a store that no topology has": {
			nil, nil, has(Store{"forgotten", 0, 5}),
			map[string]int32{"clicks": 1},
			map[string][]kafka.TopicPartition{"a": {{Topic: "clicks", Partition: 0}}},
		},
		"times of version 1 are not positions": {
			old, has(Store{"seen", 1, 3}), nil,
			map[string]int32{"clicks": 2},
			map[string][]kafka.TopicPartition{"a": {{Topic: "clicks", Partition: 0}}, "b": {{Topic: "clicks", Partition: 1}}},
		},
		"the state of version 1 counts": {
			nil, old, nil,
			map[string]int32{"clicks": 2},
			map[string][]kafka.TopicPartition{"a": {{Topic: "clicks", Partition: 0}}, "b": {{Topic: "clicks", Partition: 1}}},
		},
	} {
		members := newcomers("a", "b", "c")
		members[0].UserData, members[1].UserData, members[2].UserData = test.a, test.b, test.c
		got := map[string][]kafka.TopicPartition{}
		for id, share := range New(taskGroups, nil).Assign(members, test.counts) {
			if len(share.Partitions) > 0 {
				got[id] = share.Partitions
			}
		}
		if !maps.EqualFunc(got, test.want, slices.Equal) {
			t.Errorf("%s: assigned %v, want %v", name, got, test.want)
		}
	}
}

// When a member comes back after a restart, the others only give up tasks of which it has the state.
//
// Proves: stable-placement
func TestReturningMemberGetsItsTasksBack(t *testing.T) {
	counts := map[string]int32{"clicks": 6}
	before := settle(newcomers("a", "b", "c"), counts)
	had := before["b"].Partitions
	without := settle(owning(newcomers("a", "c"), before), counts)

	back := owning(newcomers("a", "c", "b2"), without)
	var stores []Store
	for _, tp := range had {
		stores = append(stores, Store{"seen", tp.Partition, 1000})
	}
	back[2].UserData = Encode(Member{Stores: stores})
	if after := settle(back, counts); !slices.Equal(after["b2"].Partitions, had) {
		t.Errorf("b had %v, and came back to %v", had, after["b2"].Partitions)
	}
}

// Proves: stable-placement
func TestAssignor(t *testing.T) {
	kafkatest.RunAssignor(t, kafkatest.AssignorSubject{
		Assignor: New(taskGroups, nil), Units: [][]string{{"orders", "customers"}, {"clicks"}, {"alone"}},
		UserData: func(t *rapid.T) []byte { return Encode(Member{Stores: drawStores(t)}) },
	})
}

func TestMemberRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Member{Plan: rapid.Uint64().Draw(t, "plan"), Stores: drawStores(t)}
		got, err := Decode(Encode(m), taskGroups)
		if err != nil || got.Plan != m.Plan || len(got.Stores)+len(m.Stores) > 0 && !slices.Equal(got.Stores, m.Stores) {
			t.Fatalf("%v became %v, %v", m, got, err)
		}
	})
}

// The bytes of the current version and of version 1, because during an upgrade a group has members of both.
func TestMemberBytes(t *testing.T) {
	m := Member{Plan: 0x0102030405060708, Stores: []Store{{"totals", 3, 70}, {"totals", 4, Unknown}, {"n", 0, 0}}}
	want := "\x02" + "\x01\x08\x01\x02\x03\x04\x05\x06\x07\x08" + "\x02\x12" + "\x06totals\x02\x03\x8c\x01\x04\x01" + "\x01n\x01\x00\x00"
	if got := string(Encode(m)); got != want {
		t.Errorf("encoded\n%q, want\n%q", got, want)
	}
	const later = "\x02" + "\x07\x03abc" + "\x01\x08\x00\x00\x00\x00\x00\x00\x00\x05"
	if got, err := Decode([]byte(later), taskGroups); err != nil || got.Plan != 5 || got.Stores != nil {
		t.Errorf("with an unknown field: %v, %v", got, err)
	}
	const old = "\x01" + "\x02" + "\x01\x02\x80\x94\x88\xa0\xec\x69" + "\x09\x00\x00" // sub-topologies 1 and 9
	if got, err := Decode([]byte(old), taskGroups); err != nil || !slices.Equal(got.Stores, []Store{{"seen", 2, Unknown}}) {
		t.Errorf("version 1: %v, %v", got, err)
	}
	for _, wrong := range []string{"\x03", "\x00", "\x01\x05", "\x02\x01", "\x02\x01\x07\x00\x00\x00\x00\x00\x00\x00", "\x02\x02\x02\x05a", "\x02\x02\x03\x01a\x7f"} {
		if got, err := Decode([]byte(wrong), taskGroups); !errors.Is(err, ErrUserData) {
			t.Errorf("%q became %v, %v", wrong, got, err)
		}
	}
}

// The leader reports the members of each plan. It reports nothing if all known plans are equal.
func TestDifferentPlans(t *testing.T) {
	members := newcomers("a", "b", "c", "d")
	for i, plan := range []uint64{7, 5, 7, 0} {
		members[i].UserData = Encode(Member{Plan: plan})
	}
	members[2].InstanceID = "third"
	var reported [][]string
	assignor := New(taskGroups, func(plans [][]string) { reported = plans })
	assignor.Assign(members, nil)
	if fmt.Sprint(reported) != "[[b] [a third]]" {
		t.Errorf("reported %v", reported)
	}
	reported = nil
	assignor.Assign(slices.Delete(members, 1, 2), nil)
	if reported != nil {
		t.Errorf("reported %v", reported)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(Member{Plan: 9, Stores: []Store{{"a", 1, 2}, {"b", 70000, -5}}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b, taskGroups)
		if err != nil {
			return
		}
		if again, err := Decode(Encode(m), taskGroups); err != nil || again.Plan != m.Plan || len(m.Stores) > 0 && !slices.Equal(again.Stores, m.Stores) {
			t.Fatalf("%v became %v, %v", m, again, err)
		}
	})
}

func drawStores(t *rapid.T) []Store {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Store {
		return Store{rapid.SampledFrom([]string{"balances", "limits", "seen", "other"}).Draw(t, "name"), rapid.Int32Range(0, 9).Draw(t, "partition"), rapid.Int64Range(-1, 1000).Draw(t, "position")}
	}), 0, 8).Draw(t, "stores")
}

func newcomers(ids ...string) []kafka.GroupMember {
	var members []kafka.GroupMember
	for _, id := range ids {
		members = append(members, kafka.GroupMember{ID: id, Topics: allTopics})
	}
	return members
}

// owning returns the members with their shares as owned partitions.
func owning(members []kafka.GroupMember, shares map[string]kafka.Assignment) []kafka.GroupMember {
	members = slices.Clone(members)
	for i, m := range members {
		members[i].Owned = shares[m.ID].Partitions
	}
	return members
}

func settle(members []kafka.GroupMember, counts map[string]int32) map[string]kafka.Assignment {
	return New(taskGroups, nil).Assign(members, counts)
}
