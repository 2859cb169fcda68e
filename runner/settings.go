package runner

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/internal/plan"
)

// Settings of topics that the runner cares about, by Kafka's names.
const (
	cleanupPolicy   = "cleanup.policy"
	retentionMs     = "retention.ms"
	retentionBytes  = "retention.bytes"
	segmentBytes    = "segment.bytes"
	maxMessageBytes = "max.message.bytes"
	timestampType   = "message.timestamp.type"
	timestampBefore = "message.timestamp.before.max.ms"
	timestampAfter  = "message.timestamp.after.max.ms"

	// timestampDifference bounds both sides in Kafka before 3.6.
	timestampDifference = "message.timestamp.difference.max.ms"
)

const (
	unlimited = "9223372036854775807"

	// largestMessage is what internal topics take at least, in bytes: results can be larger than what they were made
	// from, and the cluster's default can be small. Managed clusters allow no more.
	largestMessage = 8 << 20

	// repartitionSegment is the size of a repartition topic's segments, in bytes. Kafka frees whole segments, so smaller
	// ones give back sooner what purge has deleted.
	repartitionSegment = 50 << 20
)

// internalTopic is a topic that belongs to the application.
type internalTopic struct {
	name       string
	partitions int32
	store      *plan.Store       // whose changelog it is; nil for a repartition topic
	own        map[string]string // settings that the user has chosen
	message    int               // bytes of the largest message that it must take
}

// internalTopics returns the repartition topics and the changelogs.
func (r *runner) internalTopics() []internalTopic {
	var topics []internalTopic
	for _, t := range r.plan.Repartitions {
		topics = append(topics, internalTopic{name: r.names().Topic(t), partitions: r.counts[t.Name], own: t.Config})
	}
	for _, s := range r.plan.Subtopologies {
		for _, store := range s.Stores {
			if store.Source == "" {
				topics = append(topics, internalTopic{
					name: r.names().Changelog(store.Name()), partitions: s.Tasks(r.counts), store: store, own: store.Config,
				})
			}
		}
	}
	return topics
}

// settings returns how the topic is set, whatever the cluster's defaults are. Event times pass as they are, and nothing
// is deleted by the wall clock, which would delete history that is being replayed: repartition topics and changelogs of
// windows are purged by the progress of the application instead (see purge).
func (t internalTopic) settings() map[string]string {
	settings := map[string]string{
		timestampType: "CreateTime", timestampBefore: unlimited, timestampAfter: unlimited,
		maxMessageBytes: strconv.Itoa(t.message),
	}
	switch {
	case t.store == nil:
		settings[cleanupPolicy], settings[segmentBytes] = "delete", strconv.Itoa(repartitionSegment)
		settings[retentionMs], settings[retentionBytes] = "-1", "-1"
	case t.store.Retention() > 0:
		settings[cleanupPolicy] = "compact,delete" // Kafka refuses to purge topics that are only compacted
		settings[retentionMs], settings[retentionBytes] = "-1", "-1"
	default:
		settings[cleanupPolicy] = "compact"
	}
	maps.Copy(settings, t.own)
	return settings
}

// check refuses settings of the user's with which results would be wrong, and returns warnings about those with which
// records can be lost.
func (t internalTopic) check() (warnings []string, err error) {
	var mistakes []error
	refuse := func(name, why string) {
		mistakes = append(mistakes, fmt.Errorf("internal topic %s: TopicConfig sets %s to %q: %s", t.name, name, t.own[name], why))
	}
	set := func(name string) bool { _, ok := t.own[name]; return ok }
	policies := policiesIn(t.own[cleanupPolicy])
	if set(timestampType) && t.own[timestampType] != "CreateTime" {
		refuse(timestampType, "windows would take the time of arrival for the time of the event")
	}
	switch {
	case !set(cleanupPolicy):
	case t.store == nil && !slices.Equal(policies, []string{"delete"}):
		refuse(cleanupPolicy, "records that are not processed yet would be deleted")
	case t.store != nil && !slices.Contains(policies, "compact"):
		refuse(cleanupPolicy, "rows of the store would be deleted for their age; it must contain compact")
	}
	deletes := policiesIn(t.settings()[cleanupPolicy])
	for _, name := range []string{retentionMs, retentionBytes} {
		if !slices.Contains(deletes, "delete") || t.settings()[name] == "-1" {
			continue
		}
		switch {
		case t.store != nil && t.store.Retention() == 0:
			if !set(name) {
				refuse(cleanupPolicy, "rows of the store would be deleted for their age; leave delete out")
			} else {
				refuse(name, "rows of the store would be deleted for their age")
			}
		case t.store == nil:
			warnings = append(warnings, fmt.Sprintf("%s=%s deletes records that may not be processed yet", name, t.own[name]))
		default:
			warnings = append(warnings, fmt.Sprintf("%s=%s deletes windows by the wall clock; a replay of older history can lose its windows", name, t.own[name]))
		}
	}
	return warnings, errors.Join(mistakes...)
}

// differences returns the settings that an existing topic must change. current holds all that it has; what is not in it,
// the cluster does not know. A larger bound of messages and the size of segments are left to whoever has set them.
func (t internalTopic) differences(current map[string]string) map[string]string {
	changes := map[string]string{}
	for name, want := range t.settings() {
		have, known := current[name]
		_, chosen := t.own[name]
		switch {
		case !known || have == want:
		case name == cleanupPolicy && slices.Equal(policiesIn(have), policiesIn(want)):
		case name == maxMessageBytes && !chosen && atLeast(have, want):
		case name == segmentBytes && !chosen:
		default:
			changes[name] = want
		}
	}
	return changes
}

func atLeast(have, want string) bool {
	h, errHave := strconv.ParseInt(have, 10, 64)
	w, errWant := strconv.ParseInt(want, 10, 64)
	return errHave == nil && errWant == nil && h >= w
}

// policiesIn returns the parts of a cleanup.policy, sorted.
func policiesIn(list string) []string {
	var policies []string
	for policy := range strings.SplitSeq(list, ",") {
		if policy = strings.TrimSpace(policy); policy != "" {
			policies = append(policies, policy)
		}
	}
	slices.Sort(policies)
	return policies
}

// known leaves out the settings that a cluster does not know, given those of one of its topics; nil if they could not be
// read. Kafka before 3.6 bounds timestamps by another name.
func known(settings, ofCluster map[string]string) map[string]string {
	if ofCluster == nil {
		return settings
	}
	fitting := map[string]string{}
	for name, value := range settings {
		if _, ok := ofCluster[name]; ok {
			fitting[name] = value
		}
	}
	_, old := ofCluster[timestampDifference]
	if _, newer := ofCluster[timestampAfter]; old && !newer {
		fitting[timestampDifference] = unlimited
	}
	return fitting
}
