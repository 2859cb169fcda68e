package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commit commits an offset for a group without a member.
func (h *harness) commit(group, topic string, offset int64) {
	h.Helper()
	rp := kmsg.NewOffsetCommitRequestTopicPartition()
	rp.Offset = offset
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.OffsetCommitRequestTopicPartition{rp}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version = commitByID - 1
	req.Group, req.Generation, req.Topics = group, -1, []kmsg.OffsetCommitRequestTopic{rt}
	h.code(nil, ask(h, req).Topics[0].Partitions[0].ErrorCode, "commit")
}

// hasCommitted checks that a group has exactly these offsets.
func (h *harness) hasCommitted(group string, want map[string]int64) {
	h.Helper()
	rg := kmsg.NewOffsetFetchRequestGroup()
	rg.Group = group
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version = fetchOffsetsByID - 1
	req.Groups = []kmsg.OffsetFetchRequestGroup{rg}
	got := make(map[string]int64)
	for _, t := range ask(h, req).Groups[0].Topics {
		got[t.Topic] = t.Partitions[0].Offset
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("offsets of %s, wanted and got:\n%s", group, diff)
	}
}

// hasGroups checks that there are these groups, each with its state.
func (h *harness) hasGroups(want map[string]string) {
	h.Helper()
	got := make(map[string]string)
	for _, g := range ask(h, kmsg.NewPtrListGroupsRequest()).Groups {
		got[g.Group] = g.GroupState
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("groups, wanted and got:\n%s", diff)
	}
}

// join adds the only member of a group, with a session timeout of ten seconds.
func (h *harness) join(group string) (memberID string) {
	h.Helper()
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name = "range"
	join := kmsg.NewPtrJoinGroupRequest()
	join.Version = 3 // without an earlier request
	join.Group, join.ProtocolType, join.Protocols = group, "consumer", []kmsg.JoinGroupRequestProtocol{protocol}
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 10_000, 60_000
	joined := ask(h, join)
	h.code(nil, joined.ErrorCode, "join")
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Version = 3
	sync.Group, sync.Generation, sync.MemberID = group, joined.Generation, joined.MemberID
	h.code(nil, ask(h, sync).ErrorCode, "sync")
	return joined.MemberID
}

func (h *harness) leave(group, memberID string) {
	h.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Version, req.Group, req.MemberID = 2, group, memberID
	h.code(nil, ask(h, req).ErrorCode, "leave")
}

func TestOffsetsOfNobodyExpire(t *testing.T) {
	h := newHarness(t)
	h.topic("compras")
	h.topic("vendas")
	h.commit("painel", "compras", 3)
	h.advance(time.Minute)
	h.commit("painel", "vendas", 4)
	h.advance(offsetRetention - time.Minute)
	h.twice(func() { h.hasCommitted("painel", map[string]int64{"compras": 3, "vendas": 4}) })
	h.advance(time.Minute)
	h.twice(func() {
		h.hasCommitted("painel", map[string]int64{"vendas": 4})
		h.hasGroups(map[string]string{"painel": "Empty"})
	})
	h.advance(sweepInterval)
	h.twice(func() {
		h.hasCommitted("painel", map[string]int64{})
		h.hasGroups(map[string]string{})
	})
}

func TestOffsetsExpireOnTime(t *testing.T) {
	for after, want := range map[time.Duration]map[string]int64{
		offsetRetention:                    {"vendas": 4},
		offsetRetention + time.Millisecond: {},
	} {
		t.Run(after.String(), func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas")
			h.commit("painel", "vendas", 4)
			h.commit("quadro", "vendas", 4)
			member := h.join("painel")
			h.advance(time.Second)
			h.leave("painel", member) // the time starts when the group becomes empty
			h.restart()
			h.advance(after)
			h.twice(func() {
				h.hasCommitted("painel", want)
				h.hasCommitted("quadro", map[string]int64{})
			})
		})
	}
}

func TestAnEmptyGroupIsForgotten(t *testing.T) {
	for after, want := range map[time.Duration]map[string]string{
		time.Minute:                    {"painel": "Empty"},
		time.Minute + time.Millisecond: {},
	} {
		t.Run(after.String(), func(t *testing.T) {
			h := newHarness(t)
			member := h.join("painel")
			h.advance(9 * time.Second)
			h.hasGroups(map[string]string{"painel": "Stable"})
			h.leave("painel", member)
			h.hasGroups(map[string]string{"painel": "Empty"})
			h.restart()
			h.advance(after)
			h.twice(func() { h.hasGroups(want) })
		})
	}
}

func TestASilentMemberIsExpelledOnTime(t *testing.T) {
	h := newHarness(t)
	member := h.join("painel")
	heartbeat := func() error {
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.Generation, req.MemberID = "painel", 1, member
		return kerr.ErrorForCode(ask(h, req).ErrorCode)
	}
	h.advance(9_999 * time.Millisecond)
	h.must(heartbeat())
	h.advance(9_999 * time.Millisecond)
	h.hasGroups(map[string]string{"painel": "Stable"})
	h.restart() // the session starts again with the broker
	h.advance(9_999 * time.Millisecond)
	h.hasGroups(map[string]string{"painel": "Stable"})
	h.advance(time.Millisecond)
	h.twice(func() { h.hasGroups(map[string]string{"painel": "Empty"}) })
	if err := heartbeat(); err != kerr.UnknownMemberID {
		t.Errorf("heartbeat of an expelled member: %v", err)
	}
}
