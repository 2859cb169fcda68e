package recording

import (
	"cmp"
	"fmt"
	"io"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// realtime is the vehicle positions of a message of GTFS-realtime (https://gtfs.org/documentation/realtime/reference/). They arrive
// at the time of the message.
type realtime struct {
	name    string
	message *gtfs.FeedMessage
	next    int
}

func newRealtime(name string, file io.Reader, _ Options) (Source, error) {
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("recording: %s: %w", name, err)
	}
	r := &realtime{name: name, message: &gtfs.FeedMessage{}}
	if err := proto.Unmarshal(data, r.message); err != nil {
		return nil, fmt.Errorf("recording: %s is no message of GTFS-realtime: %w", name, err)
	}
	return r, nil
}

// Next implements Source.
func (r *realtime) Next() (Row, error) {
	for r.next < len(r.message.Entity) {
		entity := r.message.Entity[r.next]
		r.next++
		if entity.Vehicle != nil {
			return Row{Position: r.position(entity)}, nil
		}
	}
	return Row{}, io.EOF
}

func (r *realtime) position(entity *gtfs.FeedEntity) fleet.Position {
	v := entity.Vehicle
	p := fleet.Position{
		Vehicle: cmp.Or(v.GetVehicle().GetId(), v.GetVehicle().GetLabel(), entity.GetId()),
		Route:   v.GetTrip().GetRouteId(),
		Trip:    v.GetTrip().GetTripId(),
		Day:     v.GetTrip().GetStartDate(),
		Start:   v.GetTrip().GetStartTime(),
		Instant: fleet.Seconds(int64(v.GetTimestamp())),
		Arrival: fleet.Seconds(int64(r.message.GetHeader().GetTimestamp())),
		Seq:     int64(r.next),
	}
	if at := v.Position; at != nil {
		p.Lat, p.Lon = wide(at.Latitude), wide(at.Longitude)
		p.Speed, p.Bearing, p.Odometer = wide(at.Speed), wide(at.Bearing), at.Odometer
	}
	return p
}

func wide(x *float32) *float64 {
	if x == nil {
		return nil
	}
	return new(float64(*x))
}
