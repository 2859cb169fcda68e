package engine

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// Places that ListOffsets names by a timestamp that is none.
const (
	latest        = -1
	earliest      = -2
	newest        = -3 // the record with the largest timestamp (KIP-734)
	earliestLocal = -4
	latestTiered  = -5
)

// place is an answer to ListOffsets; -1, -1 is none.
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
			if rp.CurrentLeaderEpoch > 0 {
				sp.ErrorCode = kerr.UnknownLeaderEpoch.Code
				st.Partitions = append(st.Partitions, sp)
				continue
			}
			at, err := e.look(c.partition(rt.Topic, rp.Partition), rp.Timestamp, req.IsolationLevel)
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
	end := v.high
	if isolation == readCommitted {
		end = v.stable
	}
	switch {
	case v.gone:
		return place{}, kerr.UnknownTopicOrPartition
	case timestamp == latest:
		return place{end, -1}, nil
	case timestamp == earliest, timestamp == earliestLocal:
		return place{v.start, -1}, nil
	case timestamp == latestTiered:
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
		e.log.Error("broker: look-up by time failed", "error", err)
		return place{}, kerr.KafkaStorageError
	}
	return at, nil
}

// search finds the first record at or after a time, or the newest record, in [start, end).
func search(r *store.Reader, id store.PartitionID, timestamp, start, end int64) (place, error) {
	p, err := r.Partition(id)
	if err != nil {
		return place{}, err
	}
	var segments []store.Segment
	for s, err := range r.Segments(id) {
		if err != nil {
			return place{}, err
		}
		segments = append(segments, s)
	}
	segments = append(segments, p.Segment)
	if timestamp == newest {
		return newestRecord(r, id, segments, start, end)
	}
	for _, s := range segments {
		if s.MaxTimestamp < timestamp {
			continue
		}
		at, err := firstSince(r, id, timestamp, max(s.Base, start), end)
		if err != nil || at.offset >= 0 {
			return at, err
		}
	}
	return place{-1, -1}, nil
}

// firstSince finds the first record from an offset on that is not older than timestamp. Batches that are older as a whole
// are passed by their header.
func firstSince(r *store.Reader, id store.PartitionID, timestamp, from, end int64) (place, error) {
	var records batch.Reader
	for stored, err := range r.Records(id, from) {
		if err != nil {
			return place{}, err
		}
		h, err := batch.Parse(stored.Bytes)
		if err != nil {
			return place{}, err
		}
		if h.BaseOffset >= end {
			break
		}
		if h.MaxTimestamp < timestamp || h.Attributes.Control() {
			continue
		}
		if _, err := records.Reset(stored.Bytes); err != nil {
			return place{}, err
		}
		for {
			record, err := records.Next()
			if isEnd(err) {
				break
			}
			if err != nil {
				return place{}, err
			}
			if record.Offset >= from && record.Offset < end && record.Timestamp >= timestamp {
				return place{record.Offset, record.Timestamp}, nil
			}
		}
	}
	return place{-1, -1}, nil
}

// newestRecord finds the record with the largest timestamp; of several the first. Markers have timestamps, too, and what was
// the newest may have been deleted; so it looks at the records of each segment that could have a newer one.
func newestRecord(r *store.Reader, id store.PartitionID, segments []store.Segment, start, end int64) (place, error) {
	found := place{-1, -1}
	for _, s := range slices.Backward(segments) {
		for s.MaxTimestamp > found.timestamp {
			at, err := firstSince(r, id, found.timestamp+1, max(s.Base, start), end)
			if err != nil {
				return found, err
			}
			if at.offset < 0 {
				break
			}
			found = at
		}
	}
	return found, nil
}
