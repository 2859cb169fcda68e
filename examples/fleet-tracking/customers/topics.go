package customers

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/topology"
)

// What the topology writes, keyed by delivery.
var (
	Statuses = topology.NewTopic("entregas-situacao", codec.String, codec.JSON[Status]()) // the latest counts: to be compacted
	Messages = topology.NewTopic("avisos", codec.String, codec.JSON[Message]())
)

// ResultTopics are the topics that the topology writes.
func ResultTopics() []string { return []string{Statuses.Name(), Messages.Name()} }

// SourceTopics are the topics that it reads.
func SourceTopics() []string {
	return []string{
		tracking.Positions.Name(), tracking.Visits.Name(), tracking.Forecasts.Name(),
		tracking.Deliveries.Name(), tracking.DeliveryRecords.Name(),
	}
}
