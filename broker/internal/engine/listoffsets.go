package engine

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// Positions that ListOffsets requests by a special timestamp.
const (
	latest          = -1
	earliest        = -2
	newest          = -3 // the record with the largest timestamp (KIP-734)
	earliestLocal   = -4
	latestTiered    = -5
	earliestPending = -6 // the first offset not yet tiered (KIP-1023)
)

// place is a result of ListOffsets; -1, -1 means none.
type place struct{ offset, timestamp int64 }

func (e *Engine) listOffsets(req *kmsg.ListOffsetsRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	c := e.catalog.Load()
	for _, rt := range req.Topics {
		st := kmsg.NewListOffsetsResponseTopic()
		st.Topic = rt.Topic
		for _, rp := range rt.Partitions {
			sp := kmsg.NewListOffsetsResponseTopicPartition()
			sp.Partition, sp.Offset, sp.Timestamp, sp.LeaderEpoch = rp.Partition, -1, -1, -1
			at, err := place{}, error(kerr.UnknownLeaderEpoch)
			if rp.CurrentLeaderEpoch <= 0 {
				at, err = e.look(c.partition(rt.Topic, rp.Partition), rp.Timestamp, req.IsolationLevel)
			}
			if err != nil {
				sp.ErrorCode = code(err)
			} else if sp.Offset, sp.Timestamp = at.offset, at.timestamp; at.offset >= 0 {
				sp.LeaderEpoch = 0
			}
			st.Partitions = append(st.Partitions, sp)
		}
		res.Topics = append(res.Topics, st)
	}
	return res
}

func (e *Engine) look(p *partition, timestamp int64, isolation int8) (place, error) {
	if p == nil {
		return place{}, kerr.UnknownTopicOrPartition
	}
	v := p.view.Load()
	end := v.end(isolation)
	switch {
	case v.gone:
		return place{}, kerr.UnknownTopicOrPartition
	case timestamp == latest:
		return place{end, -1}, nil
	case timestamp == earliest, timestamp == earliestLocal:
		return place{v.start, -1}, nil
	case timestamp == latestTiered, timestamp == earliestPending:
		return place{-1, -1}, nil
	case timestamp < 0 && timestamp != newest:
		return place{}, kerr.UnsupportedVersion
	}
	r, err := e.db.NewReader()
	if err != nil {
		return place{}, kerr.KafkaStorageError
	}
	defer r.Close()
	at, err := search(r, p.id, timestamp, v.start, end)
	if err != nil {
		e.log.Error("broker: lookup by timestamp failed", "error", err)
		return place{}, kerr.KafkaStorageError
	}
	return at, nil
}

// search returns the first record at or after a timestamp, or the newest record, in [start, end).
func search(r *store.Reader, id store.PartitionID, timestamp, start, end int64) (place, error) {
	segments, _, err := segmentsIn(r, id)
	if err != nil {
		return place{}, err
	}
	s := searcher{r: r, id: id}
	if timestamp == newest {
		return s.newest(segments, start, end)
	}
	for i := range segments {
		if segments[i].MaxTimestamp < timestamp {
			continue
		}
		found := place{-1, -1}
		err := s.each(timestamp, max(segments[i].Base, start), endOf(segments, i, end), func(at place) bool {
			found = at
			return false
		})
		if err != nil || found.offset >= 0 {
			return found, err
		}
	}
	return place{-1, -1}, nil
}

// endOf returns the end of a segment.
func endOf(segments []store.Segment, i int, end int64) int64 {
	if i+1 < len(segments) {
		return min(end, segments[i+1].Base)
	}
	return end
}

// searcher reads the records of one partition.
type searcher struct {
	r       *store.Reader
	id      store.PartitionID
	records batch.Reader
}

// newest returns the record with the largest timestamp. A segment's maximum may be that of a marker or of a deleted
// record, so it reads the records of each segment that could have a newer one.
func (s *searcher) newest(segments []store.Segment, start, end int64) (place, error) {
	found := place{-1, -1}
	for i := range slices.Backward(segments) {
		if segments[i].MaxTimestamp <= found.timestamp {
			continue
		}
		err := s.each(found.timestamp+1, max(segments[i].Base, start), endOf(segments, i, end), func(at place) bool {
			if at.timestamp > found.timestamp {
				found = at
			}
			return true
		})
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// each calls do with the records in [from, end) that are not older than timestamp, until do returns false. It skips
// batches that are older as a whole.
func (s *searcher) each(timestamp, from, end int64, do func(place) bool) error {
	for stored, err := range s.r.Records(s.id, from) {
		if err != nil {
			return err
		}
		h, err := batch.Parse(stored.Bytes)
		if err != nil {
			return err
		}
		if h.BaseOffset >= end {
			return nil
		}
		if h.MaxTimestamp < timestamp || h.Attributes.Control() {
			continue
		}
		if _, err := s.records.Reset(stored.Bytes); err != nil {
			return err
		}
		for {
			record, err := s.records.Next()
			if isEnd(err) {
				break
			}
			if err != nil {
				return err
			}
			fits := record.Offset >= from && record.Offset < end && record.Timestamp >= timestamp
			if fits && !do(place{record.Offset, record.Timestamp}) {
				return nil
			}
		}
	}
	return nil
}
