package engine

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// Three transactions overlap in one partition. The last stable offset is the start of the oldest open one, although it
// was not loaded first.
//
// Proves: open-transactions-end
func TestOpenTransactionsComeBack(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	late, first, middle := h.transactional("late"), h.transactional("first"), h.transactional("middle")
	h.write("vendas", h.records("ana=0")...)
	first.write("vendas", h.records("ana=first")...)
	h.write("vendas", h.records("ana=2")...)
	middle.write("vendas", h.records("ana=middle")...)
	h.write("vendas", h.records("ana=4")...)
	late.write("vendas", h.records("ana=late")...)
	stable := func(want int64) {
		h.Helper()
		h.twice(func() {
			h.Helper()
			if got := h.list("vendas", latest, readCommitted); got.offset != want {
				h.Errorf("the last stable offset is %d, want %d", got.offset, want)
			}
		})
	}
	stable(1)
	middle.end(true)
	stable(1)
	first.end(false)
	stable(5)
	late.end(true)
	stable(9)
	h.holds("vendas", 0, 9, "0 ana=0", "2 ana=2", "3 ana=middle", "4 ana=4", "5 ana=late")
}

// commitOffset adds an offset of a group to the transaction.
func (p *producer) commitOffset(group, topic string, offset int64) {
	p.h.Helper()
	rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	rp.Offset = offset
	rt := kmsg.NewTxnOffsetCommitRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.TxnOffsetCommitRequestTopicPartition{rp}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.Version = txnCommitByID - 1
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = p.transactional, p.id, p.epoch, group
	req.Generation, req.Topics = -1, []kmsg.TxnOffsetCommitRequestTopic{rt}
	p.h.code(nil, ask(p.h, req).Topics[0].Partitions[0].ErrorCode, "commit an offset in a transaction")
}

func TestOffsetsOfATransactionComeBack(t *testing.T) {
	for _, commit := range []bool{true, false} {
		h := newHarness(t)
		h.topic("vendas")
		h.commit("painel", "vendas", 1)
		p := h.transactional("caixa")
		p.commitOffset("painel", "vendas", 5)
		h.twice(func() { h.hasCommitted("painel", map[string]int64{"vendas": 1}) })
		p.end(commit)
		want := int64(1)
		if commit {
			want = 5
		}
		h.twice(func() { h.hasCommitted("painel", map[string]int64{"vendas": want}) })
	}
}

func TestIDsAreNotGivenTwice(t *testing.T) {
	h := newHarness(t)
	producers, topics := make(map[int64]bool), make(map[uint32]bool)
	for range 3 {
		h.twice(func() {
			h.topic("vendas")
			p, number := h.producer(), h.partition("vendas").id.Topic
			if producers[p.id] || topics[number] {
				t.Errorf("producer id %d or topic number %d was reused", p.id, number)
			}
			producers[p.id], topics[number] = true, true
			p.appends("vendas", 0, p.batch(0, h.records("ana=1")...))
			h.drop("vendas")
		})
	}
}

func (h *harness) drop(topic string) {
	h.Helper()
	rt := kmsg.NewDeleteTopicsRequestTopic()
	rt.Topic = &topic
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics = []kmsg.DeleteTopicsRequestTopic{rt}
	h.code(nil, ask(h, req).Topics[0].ErrorCode, "delete the topic")
}

// An engine does not start with an inconsistent store.
func TestABrokenStoreIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		broken  store.Topic
		message string
	}{
		{"a partition is missing", store.Topic{Name: "vendas", Number: 7, Partitions: 1}, "partition 0 of topic vendas is missing"},
		{"a setting is unknown", store.Topic{Name: "vendas", Number: 7, Config: map[string]string{"colour": "red"}}, `no topic setting "colour"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			b := h.db.NewBatch()
			b.SetTopic(&c.broken)
			h.must(h.db.Commit(b))
			if _, err := Start(h.config()); err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("start: %v; want: %s", err, c.message)
			}
		})
	}
}
