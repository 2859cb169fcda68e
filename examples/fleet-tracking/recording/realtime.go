package recording

import (
	"cmp"
	"fmt"
	"io"
	"math"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Message is the vehicle positions of a message of GTFS-realtime (https://gtfs.org/documentation/realtime/reference/). They arrive
// at the time of the message. It is a Source.
type Message struct {
	message *gtfs.FeedMessage
	next    int
}

// ReadMessage reads a message. The name is for errors.
func ReadMessage(name string, data []byte) (*Message, error) {
	m := &Message{message: &gtfs.FeedMessage{}}
	if err := proto.Unmarshal(data, m.message); err != nil {
		return nil, fmt.Errorf("recording: %s is no message of GTFS-realtime: %w", name, err)
	}
	return m, nil
}

func newRealtime(name string, file io.Reader, _ Options) (Source, error) {
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("recording: %s: %w", name, err)
	}
	return ReadMessage(name, data)
}

// Entities is how many entities the message has: vehicles, and what else there may be.
func (m *Message) Entities() int { return len(m.message.Entity) }

// Next implements Source.
func (m *Message) Next() (Row, error) {
	for m.next < len(m.message.Entity) {
		entity := m.message.Entity[m.next]
		m.next++
		if entity.Vehicle != nil {
			return Row{Position: m.position(entity)}, nil
		}
	}
	return Row{}, io.EOF
}

func (m *Message) position(entity *gtfs.FeedEntity) fleet.Position {
	v := entity.Vehicle
	p := fleet.Position{
		Vehicle: cmp.Or(v.GetVehicle().GetId(), v.GetVehicle().GetLabel(), entity.GetId()),
		Route:   v.GetTrip().GetRouteId(),
		Trip:    v.GetTrip().GetTripId(),
		Day:     v.GetTrip().GetStartDate(),
		Start:   v.GetTrip().GetStartTime(),
		Instant: seconds(v.GetTimestamp()),
		Arrival: seconds(m.message.GetHeader().GetTimestamp()),
		Seq:     int64(m.next),
	}
	if at := v.Position; at != nil {
		p.Lat, p.Lon = wide(at.Latitude), wide(at.Longitude)
		p.Speed, p.Bearing = wide(at.Speed), wide(at.Bearing)
		if at.Odometer != nil && isFinite(*at.Odometer) {
			p.Odometer = at.Odometer
		}
	}
	return p
}

// seconds is a time in seconds since 1970. One that is too great for an instant is the greatest.
func seconds(s uint64) fleet.Instant { return fleet.Seconds(int64(min(s, math.MaxInt64/1000))) }

// wide is a number, nil if it is none.
func wide(x *float32) *float64 {
	if x == nil || !isFinite(float64(*x)) {
		return nil
	}
	return new(float64(*x))
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
