package runner

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rio-streams/rio/internal/plan"
)

// Topic settings that the runner uses, by their Kafka names.
const (
	cleanupPolicy   = "cleanup.policy"
	retentionMs     = "retention.ms"
	retentionBytes  = "retention.bytes"
	segmentBytes    = "segment.bytes"
	maxMessageBytes = "max.message.bytes"
	compactionLag   = "min.compaction.lag.ms"
	timestampType   = "message.timestamp.type"
	timestampBefore = "message.timestamp.before.max.ms"
	timestampAfter  = "message.timestamp.after.max.ms"

	// timestampDifference replaces timestampBefore and timestampAfter in Kafka before 3.6.
	timestampDifference = "message.timestamp.difference.max.ms"
)

const (
	unlimited = "9223372036854775807"

	// largestMessage is the minimum max.message.bytes of internal topics. Intermediate results can be larger than the input
	// records, and the cluster's default may be too small. Managed clusters allow no more than this.
	largestMessage = 8 << 20

	// repartitionSegment is the segment size of repartition topics, in bytes. Kafka only frees whole segments, so small ones
	// free the space of purged records earlier.
	repartitionSegment = 50 << 20
)

// internalTopic is a repartition topic or a changelog of the application.
type internalTopic struct {
	name       string
	partitions int32
	store      *plan.Store       // whose changelog it is; nil for a repartition topic
	userConfig map[string]string // settings from the user's TopicConfig
	maxMessage int               // required max.message.bytes
}

// internalTopics returns the repartition topics and the changelogs.
func (r *runner) internalTopics() []internalTopic {
	var topics []internalTopic
	for _, t := range r.plan.Repartitions {
		topics = append(topics, internalTopic{name: r.names().Topic(t), partitions: r.counts[t.Name], userConfig: t.Config})
	}
	for _, s := range r.plan.Subtopologies {
		for _, store := range s.Stores {
			if store.Source == "" {
				topics = append(topics, internalTopic{
					name: r.names().Changelog(store.Name()), partitions: s.Tasks(r.counts), store: store, userConfig: store.Config,
				})
			}
		}
	}
	return topics
}

// settings returns the topic's settings, which are independent of the cluster's defaults. The cluster accepts any event
// time and deletes nothing by the wall clock, because that would delete old records during a replay. Instead, the runner
// purges repartition topics and changelogs of windows by the application's progress (see purge).
func (t internalTopic) settings() map[string]string {
	settings := map[string]string{
		timestampType: "CreateTime", timestampBefore: unlimited, timestampAfter: unlimited,
		maxMessageBytes: strconv.Itoa(t.maxMessage),
	}
	switch {
	case t.store == nil:
		settings[cleanupPolicy], settings[segmentBytes] = "delete", strconv.Itoa(repartitionSegment)
		settings[retentionMs], settings[retentionBytes] = "-1", "-1"
	case t.store.Retention() > 0:
		settings[cleanupPolicy] = "compact,delete" // Kafka rejects DeleteRecords for topics with compact alone
		settings[retentionMs], settings[retentionBytes] = "-1", "-1"
	case t.store.History > 0:
		settings[cleanupPolicy] = "compact"
		settings[compactionLag] = strconv.FormatInt(lagOf(t.store.History).Milliseconds(), 10)
	default:
		settings[cleanupPolicy] = "compact"
	}
	maps.Copy(settings, t.userConfig)
	return settings
}

// lagOf returns for how long compaction must spare the changelog of a versioned store with a history. It must be twice
// the history (see plan.Store), and in Kafka Streams it is a day more than the history.
func lagOf(history time.Duration) time.Duration { return history + max(history, 24*time.Hour) }

// check returns an error for user settings that make results wrong, and warnings about those that can lose records.
func (t internalTopic) check() (warnings []string, err error) {
	var mistakes []error
	refuse := func(name, why string) {
		mistakes = append(mistakes, fmt.Errorf("internal topic %s: TopicConfig sets %s to %q: %s", t.name, name, t.userConfig[name], why))
	}
	set := func(name string) bool { _, ok := t.userConfig[name]; return ok }
	policies := policiesIn(t.userConfig[cleanupPolicy])
	if set(timestampType) && t.userConfig[timestampType] != "CreateTime" {
		refuse(timestampType, "windows would use the arrival time instead of the event time")
	}
	switch {
	case !set(cleanupPolicy):
	case t.store == nil && !slices.Equal(policies, []string{"delete"}):
		refuse(cleanupPolicy, "unprocessed records would be deleted")
	case t.store != nil && !slices.Contains(policies, "compact"):
		refuse(cleanupPolicy, "old rows of the store would be deleted; it must contain compact")
	}
	deletes := policiesIn(t.settings()[cleanupPolicy])
	for _, name := range []string{retentionMs, retentionBytes} {
		if !slices.Contains(deletes, "delete") || t.settings()[name] == "-1" {
			continue
		}
		switch {
		case t.store != nil && t.store.Retention() == 0:
			if !set(name) {
				refuse(cleanupPolicy, "old rows of the store would be deleted; remove delete from it")
			} else {
				refuse(name, "old rows of the store would be deleted")
			}
		case t.store == nil:
			warnings = append(warnings, fmt.Sprintf("%s=%s can delete unprocessed records", name, t.userConfig[name]))
		default:
			warnings = append(warnings, fmt.Sprintf("%s=%s deletes windows by the wall clock; a replay of older records can lose its windows", name, t.userConfig[name]))
		}
	}
	if t.store != nil && t.store.History > 0 && set(compactionLag) && !atLeast(t.userConfig[compactionLag], strconv.FormatInt(2*t.store.History.Milliseconds(), 10)) {
		warnings = append(warnings, fmt.Sprintf("%s=%s is less than twice the history of the table; a restore can lose rows of the history", compactionLag, t.userConfig[compactionLag]))
	}
	return warnings, errors.Join(mistakes...)
}

// differences returns the settings of an existing topic that must be changed. current contains all its settings; the
// cluster does not support the others. A larger max.message.bytes and the segment size are kept unless the user sets them.
func (t internalTopic) differences(current map[string]string) map[string]string {
	changes := map[string]string{}
	for name, want := range t.settings() {
		have, known := current[name]
		_, chosen := t.userConfig[name]
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

// policiesIn returns the elements of a cleanup.policy, sorted.
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

// supportedSettings returns the settings that the cluster supports. ofCluster contains the settings of one of its topics;
// if it is nil, they could not be read, and supportedSettings returns all. Kafka before 3.6 has another setting for the
// limits of timestamps.
func supportedSettings(settings, ofCluster map[string]string) map[string]string {
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
