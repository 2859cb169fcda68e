package engine

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/rio-streams/rio/broker/internal/batch"
)

// maxDecompressed bounds the decompressed size of a batch, in bytes.
const maxDecompressed = 64 << 20

// readers keep decompression buffers for reuse.
var readers = sync.Pool{New: func() any { return &batch.Reader{MaxSize: maxDecompressed} }}

// inspect checks the records of a batch where necessary: that they decompress (a consumer could not read past them),
// that they have the keys that compaction needs, and that their timestamps are allowed. The error lists the faulty
// records.
func (s *settings) inspect(h *batch.Header, records []byte, now int64) error {
	tooNew := !s.logAppendTime && h.MaxTimestamp > now+s.maxAhead
	mayBeOld := !s.logAppendTime && s.maxBehind < now
	if !s.compact && !tooNew && !mayBeOld && h.Attributes.Compression() == batch.None {
		return nil
	}
	r := readers.Get().(*batch.Reader)
	defer readers.Put(r)
	if _, err := r.Reset(records); err != nil {
		return protocolError(kerr.InvalidRecord, "%v", err)
	}
	var keyless, mistimed []int32
	for i := int32(0); ; i++ {
		record, err := r.Next()
		if isEnd(err) {
			break
		}
		if err != nil {
			return protocolError(kerr.InvalidRecord, "%v", err)
		}
		if s.compact && record.Key == nil {
			keyless = append(keyless, i)
		}
		if at := record.Timestamp; at >= 0 && (tooNew && at > now+s.maxAhead || mayBeOld && at < now-s.maxBehind) {
			mistimed = append(mistimed, i)
		}
	}
	switch {
	case keyless != nil:
		return &refusal{kerr.InvalidRecord, "a record has no key, but the topic is compacted", keyless}
	case mistimed != nil:
		return &refusal{kerr.InvalidTimestamp, "the timestamp of a record is further from the broker's time than message.timestamp.after.max.ms or message.timestamp.before.max.ms allows", mistimed}
	}
	return nil
}
