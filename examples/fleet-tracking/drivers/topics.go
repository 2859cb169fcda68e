package drivers

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/topology"
)

// Days is the topic of results, keyed by conduct.Sheet.Key. The latest value of a key counts.
var Days = topology.NewTopic("motoristas-dia", codec.String, codec.JSON[conduct.Day]())

// ResultTopics are the topics that the topology writes. Config.TopicConfig has the settings of Days.
func ResultTopics() []string { return []string{Days.Name()} }

// SourceTopics are the topics that it reads.
func SourceTopics() []string {
	return []string{tracking.Positions.Name(), tracking.Visits.Name(), tracking.Deviations.Name(), tracking.Assignments.Name()}
}
