package kafka

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRangeAssignor(t *testing.T) {
	members := newcomers("ana", "bea", "cid")
	shares := NewRangeAssignor().Assign(members, map[string]int32{"clicks": 4})
	clicks := func(p int32) TopicPartition { return TopicPartition{"clicks", p} }
	wantShares(t, shares, map[string][]TopicPartition{"ana": {clicks(0), clicks(1)}, "bea": {clicks(2)}, "cid": {clicks(3)}})

	// Static members come first, whatever their member ids are.
	members[2].InstanceID = "z"
	shares = NewRangeAssignor().Assign(members, map[string]int32{"clicks": 4})
	wantShares(t, shares, map[string][]TopicPartition{"cid": {clicks(0), clicks(1)}, "ana": {clicks(2)}, "bea": {clicks(3)}})
}

// Each partition goes to one subscriber; what a member gets of a topic is one range; the members' numbers of partitions of a
// topic differ by at most one; the order of members does not matter.
func TestRangeAssignorDividesEachTopic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := map[string]int32{"clicks": rapid.Int32Range(0, 12).Draw(t, "clicks"), "orders": rapid.Int32Range(0, 12).Draw(t, "orders")}
		members := newcomers(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 1, 5, rapid.ID).Draw(t, "members")...)
		for i, m := range members {
			members[i].Topics = rapid.SampledFrom([][]string{{"clicks"}, {"orders"}, {"clicks", "orders"}}).Draw(t, "topics of "+m.ID)
		}
		shares := NewRangeAssignor().Assign(members, counts)
		again := NewRangeAssignor().Assign(rapid.Permutation(members).Draw(t, "order"), counts)
		for topic, count := range counts {
			var all []int32
			fewest, most, readers := count, int32(0), 0
			for _, m := range members {
				if !slices.Equal(shares[m.ID].Partitions, again[m.ID].Partitions) {
					t.Fatalf("%s got %v, and in another order of members %v", m.ID, shares[m.ID].Partitions, again[m.ID].Partitions)
				}
				var part []int32
				for _, tp := range shares[m.ID].Partitions {
					if tp.Topic == topic {
						part = append(part, tp.Partition)
					}
				}
				if !slices.Contains(m.Topics, topic) {
					if len(part) > 0 {
						t.Fatalf("%s got %v of %s, to which it does not subscribe", m.ID, part, topic)
					}
					continue
				}
				if n := len(part); n > 0 && part[n-1]-part[0] != int32(n-1) {
					t.Fatalf("%s got %v of %s, which is not a range", m.ID, part, topic)
				}
				all = append(all, part...)
				fewest, most, readers = min(fewest, int32(len(part))), max(most, int32(len(part))), readers+1
			}
			slices.Sort(all)
			if readers > 0 && (int32(len(all)) != count || int32(len(slices.Compact(all))) != count || most-fewest > 1) {
				t.Fatalf("the %d partitions of %s are not divided evenly: %v", count, topic, shares)
			}
		}
	})
}
