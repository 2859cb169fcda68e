package engine

import (
	"math/rand/v2"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Client is the engine's state of one connection. It belongs to the goroutine that reads the connection.
type Client struct {
	ID       string // the client id of the request
	Host     string
	sessions sessions
	ahead    readAheadState
}

// wanted is what a fetch requests in one partition.
type wanted struct {
	topic     string
	id        [16]byte
	partition int32
	offset    int64
	epoch     int32
	maxBytes  int32
}

// key identifies a partition in a session, by the topic's name or id.
type sessionKey struct {
	topic     string
	id        [16]byte
	partition int32
}

func (w *wanted) key() sessionKey { return sessionKey{w.topic, w.id, w.partition} }

// fetched is the response for one partition.
type fetched struct {
	wanted
	kmsg.FetchResponseTopicPartition
	last int64 // offset of the last record
}

// sessions are the fetch sessions of one connection (KIP-227): a client says once what it wants, then only what
// changes. They end with the connection.
type sessions struct {
	open map[int32]*session
	used []int32 // in order of use, the latest last
}

// maxSessions bounds the sessions of a connection; clients use one.
const maxSessions = 4

// session holds the requested partitions, in the client's order.
type session struct {
	id, epoch int32
	full      bool // whether this response names all partitions
	wanted    []wanted
	reported  map[sessionKey]reportedState
}

// reportedState is what the client knows about a partition.
type reportedState struct{ high, stable, start int64 }

// get returns or starts the session of a fetch, and updates it.
func (s *sessions) get(req *kmsg.FetchRequest) (*session, error) {
	const sessionless, initial = -1, 0
	if req.Version < 7 || req.SessionEpoch == sessionless || req.SessionEpoch == initial {
		s.drop(req.SessionID)
		n := &session{full: true}
		n.update(req)
		if req.Version >= 7 && req.SessionEpoch == initial && len(n.wanted) > 0 {
			s.begin(n)
		}
		return n, nil
	}
	known := s.open[req.SessionID]
	switch {
	case known == nil:
		return nil, kerr.FetchSessionIDNotFound
	case known.epoch != req.SessionEpoch:
		return nil, kerr.InvalidFetchSessionEpoch
	}
	s.use(known.id)
	known.epoch = max(known.epoch+1, 1)
	known.full = false
	known.update(req)
	return known, nil
}

func (s *sessions) begin(n *session) {
	if s.open == nil {
		s.open = make(map[int32]*session)
	}
	if len(s.used) == maxSessions {
		s.drop(s.used[0])
	}
	for n.id == 0 || s.open[n.id] != nil {
		n.id = rand.Int32()
	}
	n.epoch, n.reported = 1, make(map[sessionKey]reportedState)
	s.open[n.id] = n
	s.use(n.id)
}

// use marks a session as the last one used.
func (s *sessions) use(id int32) {
	s.used = append(slices.DeleteFunc(s.used, func(used int32) bool { return used == id }), id)
}

func (s *sessions) drop(id int32) {
	if s.open[id] == nil {
		return
	}
	delete(s.open, id)
	s.used = slices.DeleteFunc(s.used, func(used int32) bool { return used == id })
}

// update applies the partitions of a fetch to the session.
func (s *session) update(req *kmsg.FetchRequest) {
	if len(req.Topics) > 0 {
		s.want(req)
	}
	if len(req.ForgottenTopics) > 0 {
		s.forget(req)
	}
}

func (s *session) want(req *kmsg.FetchRequest) {
	at := make(map[sessionKey]int, len(s.wanted))
	for i := range s.wanted {
		at[s.wanted[i].key()] = i
	}
	for _, rt := range req.Topics {
		for _, rp := range rt.Partitions {
			w := wanted{rt.Topic, rt.TopicID, rp.Partition, rp.FetchOffset, rp.CurrentLeaderEpoch, rp.PartitionMaxBytes}
			if i, ok := at[w.key()]; ok {
				s.wanted[i] = w
				continue
			}
			at[w.key()] = len(s.wanted)
			s.wanted = append(s.wanted, w)
		}
	}
}

func (s *session) forget(req *kmsg.FetchRequest) {
	forgotten := make(map[sessionKey]bool)
	for _, rt := range req.ForgottenTopics {
		for _, number := range rt.Partitions {
			forgotten[sessionKey{rt.Topic, rt.TopicID, number}] = true
		}
	}
	s.wanted = slices.DeleteFunc(s.wanted, func(w wanted) bool { return forgotten[w.key()] })
	for key := range forgotten {
		delete(s.reported, key)
	}
}

// answer adds what was read to the response; in a running session, only what has changed. Partitions that had records
// move to the end, so that a size limit starves none.
func (s *session) answer(res *kmsg.FetchResponse, parts []fetched) {
	res.SessionID = s.id
	var served, waiting []wanted
	for i := range parts {
		f := &parts[i]
		now := reportedState{f.HighWatermark, f.LastStableOffset, f.LogStartOffset}
		isNew := f.ErrorCode != 0 || len(f.RecordBatches) > 0
		if s.reported != nil {
			before, known := s.reported[f.key()]
			isNew = isNew || !known || before != now
			s.reported[f.key()] = now
		}
		if s.full || isNew {
			addFetched(res, f)
		}
		if len(f.RecordBatches) > 0 {
			served = append(served, f.wanted)
		} else {
			waiting = append(waiting, f.wanted)
		}
	}
	s.wanted = append(waiting, served...)
}

func addFetched(res *kmsg.FetchResponse, f *fetched) {
	n := len(res.Topics)
	if n == 0 || res.Topics[n-1].Topic != f.topic || res.Topics[n-1].TopicID != f.id {
		t := kmsg.NewFetchResponseTopic()
		t.Topic, t.TopicID = f.topic, f.id
		res.Topics = append(res.Topics, t)
		n++
	}
	t := &res.Topics[n-1]
	t.Partitions = append(t.Partitions, f.FetchResponseTopicPartition)
}
