package customers

import (
	"strconv"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/topology"
)

// What the topology writes, keyed by delivery.
var (
	Statuses = topology.NewTopic("entregas-situacao", codec.String, codec.JSON[Status]()) // the latest counts: to be compacted
	Messages = topology.NewTopic("avisos", codec.String, codec.JSON[Message]())           // to be deleted: see MessageConfig
)

// DefaultKeep is how long messages should be kept: as long as a delivery is remembered after its end.
const DefaultKeep = keepFor * time.Second

// MessageConfig returns the settings of topic avisos. Its records are deleted so long after the event time of the message; negative: never.
func MessageConfig(keep time.Duration) map[string]string {
	ms := int64(-1)
	if keep >= 0 {
		ms = keep.Milliseconds()
	}
	return map[string]string{"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(ms, 10)}
}

// ResultTopics are the topics that the topology writes.
func ResultTopics() []string { return []string{Statuses.Name(), Messages.Name()} }

// SourceTopics are the topics that it reads.
func SourceTopics() []string {
	return []string{
		tracking.Positions.Name(), tracking.Visits.Name(), tracking.Forecasts.Name(),
		tracking.Deliveries.Name(), tracking.DeliveryRecords.Name(),
	}
}
