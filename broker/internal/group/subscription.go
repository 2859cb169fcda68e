package group

import (
	"encoding/binary"
	"slices"
)

// Subscribed reports whether some member may read topic. A member that is not a consumer, or whose subscription cannot
// be decoded, may read any topic.
func (g *Group) Subscribed(topic string) bool {
	for _, m := range g.members {
		if g.protocolType != "consumer" {
			return true
		}
		for _, p := range m.protocols {
			topics, ok := subscribedTopics(p.Metadata)
			if !ok || slices.Contains(topics, topic) {
				return true
			}
		}
	}
	return false
}

// subscribedTopics decodes the part that all versions of ConsumerProtocolSubscription have in common:
//
//	version int16 │ topics int32 │ { length int16 │ name }*
func subscribedTopics(metadata []byte) (topics []string, ok bool) {
	if len(metadata) < 6 {
		return nil, false
	}
	count, rest := int32(binary.BigEndian.Uint32(metadata[2:])), metadata[6:]
	for range count { // a null array is -1: no topics
		if len(rest) < 2 {
			return nil, false
		}
		length := int(int16(binary.BigEndian.Uint16(rest)))
		if rest = rest[2:]; length < 0 || length > len(rest) {
			return nil, false
		}
		topics, rest = append(topics, string(rest[:length])), rest[length:]
	}
	return topics, true
}
