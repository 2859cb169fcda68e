package engine

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// fetchOf returns a fetch request for topics from an offset on, for committed records, that does not wait.
func fetchOf(offset int64, topics ...string) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MinBytes, req.MaxBytes, req.IsolationLevel = byIDVersion-1, 1, 50<<20, readCommitted
	req.SessionEpoch = -1
	for _, topic := range topics {
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.FetchOffset, rp.PartitionMaxBytes = offset, 10<<20
		rt := kmsg.NewFetchRequestTopic()
		rt.Topic, rt.Partitions = topic, []kmsg.FetchRequestTopicPartition{rp}
		req.Topics = append(req.Topics, rt)
	}
	return req
}

// holds checks the committed records, each as "offset key=value", and the start and end of the partition.
func (h *harness) holds(topic string, start, end int64, want ...string) {
	h.Helper()
	sp := ask(h, fetchOf(start, topic)).Topics[0].Partitions[0]
	h.code(nil, sp.ErrorCode, "fetch")
	if sp.LogStartOffset != start || sp.HighWatermark != end {
		h.Errorf("%s goes from %d to %d, want %d to %d", topic, sp.LogStartOffset, sp.HighWatermark, start, end)
	}
	if diff := cmp.Diff(want, h.committed(&sp)); diff != "" {
		h.Errorf("%s, wanted and got:\n%s", topic, diff)
	}
}

// committed returns the records of a response without markers and aborted records, as a client does.
func (h *harness) committed(sp *kmsg.FetchResponseTopicPartition) (records []string) {
	h.Helper()
	aborted := make(map[int64]bool)
	list := sp.AbortedTransactions
	slices.SortFunc(list, func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return int(a.FirstOffset - b.FirstOffset)
	})
	for rest := sp.RecordBatches; len(rest) > 0; {
		header, err := batch.Verify(rest[:h.sizeOf(rest)])
		h.must(err)
		for len(list) > 0 && list[0].FirstOffset <= header.LastOffset() {
			aborted[list[0].ProducerID] = true
			list = list[1:]
		}
		switch {
		case header.Attributes.Control():
			delete(aborted, header.ProducerID)
		case !header.Attributes.Transactional() || !aborted[header.ProducerID]:
			records = append(records, h.recordsIn(rest)...)
		}
		rest = rest[header.Size():]
	}
	return records
}

func (h *harness) sizeOf(b []byte) int {
	h.Helper()
	header, err := batch.Parse(b)
	h.must(err)
	return header.Size()
}

// recordsIn returns the records of a batch, each as "offset key=value", or "offset key" for a tombstone.
func (h *harness) recordsIn(b []byte) (records []string) {
	h.Helper()
	var r batch.Reader
	_, err := r.Reset(b)
	h.must(err)
	for {
		record, err := r.Next()
		if isEnd(err) {
			return records
		}
		h.must(err)
		text := fmt.Sprintf("%d %s", record.Offset, record.Key)
		if record.Value != nil {
			text += "=" + string(record.Value)
		}
		records = append(records, text)
	}
}

// inStore returns the stored batches of a topic, from the one that contains an offset on.
func (h *harness) inStore(topic string, offset int64) iter.Seq[store.StoredRecords] {
	return func(yield func(store.StoredRecords) bool) {
		h.Helper()
		r, err := h.db.NewReader()
		h.must(err)
		defer r.Close()
		for stored, err := range r.Records(h.partition(topic).id, offset) {
			h.must(err)
			if !yield(stored) {
				return
			}
		}
	}
}

// stored returns the stored batches of a topic, each as "first..last: records".
func (h *harness) stored(topic string) (batches []string) {
	h.Helper()
	for stored := range h.inStore(topic, 0) {
		header, err := batch.Parse(stored.Bytes)
		content := ""
		switch commit, _, marker := batch.ReadMarker(stored.Bytes); {
		case err != nil:
			content = "unreadable"
		case marker && commit:
			content = "commit"
		case marker:
			content = "abort"
		default:
			content = strings.Join(h.recordsIn(stored.Bytes), ", ")
		}
		batches = append(batches, fmt.Sprintf("%d..%d: %s", header.BaseOffset, stored.Last, content))
	}
	return batches
}

// keeps checks that exactly these batches are in the store.
func (h *harness) keeps(topic string, want ...string) {
	h.Helper()
	if diff := cmp.Diff(want, h.stored(topic)); diff != "" {
		h.Errorf("%s, wanted and got:\n%s", topic, diff)
	}
}

// truncate deletes the records before an offset.
func (h *harness) truncate(topic string, start int64) {
	h.Helper()
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Offset = start
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.DeleteRecordsRequestTopicPartition{rp}
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = []kmsg.DeleteRecordsRequestTopic{rt}
	h.code(nil, ask(h, req).Topics[0].Partitions[0].ErrorCode, "delete records")
}
