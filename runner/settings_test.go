package runner

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

var (
	rows     = &plan.Store{Definition: state.NewKeyValue("rows", codec.String, codec.Int64)}
	versions = &plan.Store{Definition: state.NewVersioned("versions", codec.String, codec.Int64, time.Hour), History: time.Hour}
	windows  = &plan.Store{Definition: state.NewWindow("windows", codec.String, codec.Int64, time.Hour, time.Hour)}
)

func TestSettingsOfInternalTopics(t *testing.T) {
	all := "message.timestamp.type=CreateTime message.timestamp.before.max.ms=9223372036854775807 message.timestamp.after.max.ms=9223372036854775807 max.message.bytes=10000000 "
	for name, test := range map[string]struct {
		topic internalTopic
		want  string
	}{
		"repartition":           {internalTopic{}, all + "cleanup.policy=delete segment.bytes=52428800 retention.ms=-1 retention.bytes=-1"},
		"changelog":             {internalTopic{store: rows}, all + "cleanup.policy=compact"},
		"changelog of windows":  {internalTopic{store: windows}, all + "cleanup.policy=compact,delete retention.ms=-1 retention.bytes=-1"},
		"changelog of versions": {internalTopic{store: versions}, all + "cleanup.policy=compact min.compaction.lag.ms=90000000"},
		"the user's": {
			internalTopic{store: rows, userConfig: map[string]string{"min.insync.replicas": "2", "max.message.bytes": "5"}},
			strings.Replace(all, "10000000", "5", 1) + "cleanup.policy=compact min.insync.replicas=2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.topic.maxMessage = 10_000_000
			if got := test.topic.settings(); !maps.Equal(got, settings(test.want)) {
				t.Errorf("settings %v, want %s", got, test.want)
			}
		})
	}
}

func settings(text string) map[string]string {
	m := map[string]string{}
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		m[name] = value
	}
	return m
}

func TestSettingsThatLoseRecords(t *testing.T) {
	for _, test := range []struct {
		store   *plan.Store
		own     string
		refused string // expected in the error; empty for a valid setting
		warned  string
	}{
		{nil, "", "", ""},
		{versions, "min.compaction.lag.ms=7200000", "", ""},
		{versions, "min.compaction.lag.ms=7199999", "", "less than twice the history"},
		{nil, "segment.ms=1000", "", ""},
		{nil, "cleanup.policy=delete", "", ""},
		{nil, "cleanup.policy=compact", "unprocessed records", ""},
		{nil, "retention.ms=1000", "", "unprocessed records"},
		{nil, "message.timestamp.type=LogAppendTime", "arrival time", ""},
		{rows, "cleanup.policy=compact", "", ""},
		{rows, "cleanup.policy=delete", "must contain compact", ""},
		{rows, "cleanup.policy=compact,delete", "remove delete", ""},
		{rows, "cleanup.policy=compact,delete retention.ms=-1", "remove delete", ""},
		{rows, "cleanup.policy=compact,delete retention.ms=-1 retention.bytes=-1", "", ""},
		{rows, "retention.ms=1000", "", ""}, // has no effect on a topic with cleanup.policy=compact
		{windows, "cleanup.policy=delete", "must contain compact", ""},
		{windows, "cleanup.policy=compact", "", ""},
		{windows, "retention.ms=86400000", "", "wall clock"},
		{windows, "message.timestamp.type=LogAppendTime", "arrival time", ""},
	} {
		warnings, err := internalTopic{name: "t", store: test.store, userConfig: settings(test.own)}.check()
		if (err == nil) != (test.refused == "") || err != nil && !strings.Contains(err.Error(), test.refused) {
			t.Errorf("%q: error %v, want %q", test.own, err, test.refused)
		}
		if warned := strings.Join(warnings, "; "); (warned == "") != (test.warned == "") || !strings.Contains(warned, test.warned) {
			t.Errorf("%q: warnings %q, want %q", test.own, warned, test.warned)
		}
	}
}

func TestSettingsThatChange(t *testing.T) {
	for _, test := range []struct{ own, current, want string }{
		{"", "cleanup.policy=compact", "cleanup.policy=compact,delete"},
		{"", "cleanup.policy=delete,compact retention.ms=-1", ""},
		{"", "retention.ms=86400000 message.timestamp.type=LogAppendTime", "retention.ms=-1 message.timestamp.type=CreateTime"},
		{"", "max.message.bytes=20", ""},
		{"", "max.message.bytes=5", "max.message.bytes=10"},
		{"max.message.bytes=7", "max.message.bytes=20", "max.message.bytes=7"},
		{"segment.ms=5", "segment.ms=6 flush.ms=7", "segment.ms=5"},
	} {
		topic := internalTopic{store: windows, userConfig: settings(test.own), maxMessage: 10}
		if got := topic.differences(settings(test.current)); !maps.Equal(got, settings(test.want)) {
			t.Errorf("%q over %q: changes %v, want %s", test.own, test.current, got, test.want)
		}
	}
}

func TestSettingsThatTheClusterKnows(t *testing.T) {
	wanted := settings("cleanup.policy=compact message.timestamp.after.max.ms=1 message.timestamp.before.max.ms=1")
	for _, test := range []struct{ cluster, want string }{
		{
			"cleanup.policy=delete message.timestamp.after.max.ms=0 message.timestamp.before.max.ms=0 message.timestamp.difference.max.ms=0",
			"cleanup.policy=compact message.timestamp.after.max.ms=1 message.timestamp.before.max.ms=1",
		},
		{"cleanup.policy=delete message.timestamp.difference.max.ms=0", "cleanup.policy=compact message.timestamp.difference.max.ms=9223372036854775807"},
		{"cleanup.policy=delete", "cleanup.policy=compact"},
	} {
		if got := supportedSettings(wanted, settings(test.cluster)); !maps.Equal(got, settings(test.want)) {
			t.Errorf("on %s: %v, want %s", test.cluster, got, test.want)
		}
	}
	if got := supportedSettings(wanted, nil); !maps.Equal(got, wanted) {
		t.Errorf("on a cluster whose settings cannot be read: %v", got)
	}
}
