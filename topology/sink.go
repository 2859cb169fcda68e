package topology

import (
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// sink returns the input of a node that encodes records and sends them to the node's topic.
func sink[K, V any](l *plan.Linker, n *plan.Node, topic *Topic[K, V]) plan.Stream[K, V] {
	encode := encoder(topic)
	if topic.named != nil || topic.partition != nil {
		return routed(l, n, topic, encode)
	}
	host := l.Host
	return func(r *processor.Record[K, V]) error {
		l.Enter(n)
		key, value, err := encode(r)
		if err != nil {
			return host.SendFailed(n, err)
		}
		host.Send(n.Writes, key, value, r.Timestamp, r.Headers)
		return nil
	}
}

// encoder returns a function that encodes records with the codecs of a topic. Its results are valid until the next call.
func encoder[K, V any](topic *Topic[K, V]) func(*processor.Record[K, V]) (key, value []byte, err error) {
	var keys, values []byte // reused from record to record
	return func(r *processor.Record[K, V]) (key, value []byte, err error) {
		if !r.NoKey {
			if key, err = topic.key.Append(keys[:0], r.Key); err != nil {
				return nil, nil, fmt.Errorf("encode key: %w", err)
			}
			keys, key = key, notNull(key)
		}
		if !r.Tombstone {
			if value, err = topic.value.Append(values[:0], r.Value); err != nil {
				return nil, nil, fmt.Errorf("encode value: %w", err)
			}
			values, value = value, notNull(value)
		}
		return key, value, nil
	}
}

// notNull returns b, or an empty slice instead of nil: an empty value is not null.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
