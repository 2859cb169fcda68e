package freight

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Files name what Load reads. Routes and Drivers may be empty.
type Files struct {
	Routes     string
	Deliveries string
	Drivers    string

	Zone     *time.Location // of times that name none, and of service days; nil: times must name one
	Corridor float64        // metres from the line of a route that does not say; 0: 250
}

// Plan is what the files say.
type Plan struct {
	Trips       []Trip                       // sorted by id; see Timetables
	Assignments map[string]fleet.Assignments // by vehicle: topic atribuicoes, merged with what it has (fleet.Assignments.Merge)
	Deliveries  []fleet.Delivery             // sorted by trip and order: topic entregas
	Idle        []string                     // trips that no vehicle is assigned to: those drive it that say so themselves
}

// Trip is a route, or the round of a vehicle, on one service day.
type Trip struct {
	*fleet.Trip
	Day string // YYYYMMDD
}

// Timetables returns the trips as topics viagens and trajetos have them. Each holds from its day on.
func (p Plan) Timetables() fleet.Plan {
	days := map[string][]*fleet.Trip{}
	for _, trip := range p.Trips {
		days[trip.Day] = append(days[trip.Day], trip.Trip)
	}
	all := fleet.Plan{Timetables: map[string]fleet.Timetable{}, Paths: map[string]fleet.Path{}}
	for day, trips := range days {
		one := fleet.PlanOf(day, trips...)
		maps.Copy(all.Paths, one.Paths)
		for key, timetable := range one.Timetables {
			all.Timetables[key] = all.Timetables[key].Merge(timetable)
		}
	}
	return all
}

// Load reads a company's plan. Its error has all mistakes of the files, one a line.
//
// The id of a trip is the route and the day, such as R1@20260302; of deliveries that name a vehicle and no route, the vehicle
// and the day. If deliveries of a route and day name several vehicles, each has a trip of its own: R1@20260302/ABC1D23. A
// drive that meets the promised window of a delivery gives it the day on which the drive begins, so a night's round is one
// trip; else, and within a drive of more than 24 hours, a delivery belongs to the day of its window.
//
// An assignment lasts as the drivers' file says, and on until four hours after the last promised window of its trip, unless another
// begins: a late vehicle is late, not gone. Without a drive, a vehicle that deliveries name is assigned for the whole day.
func Load(files Files) (Plan, error) {
	m := &mistakes{}
	p := planner{mistakes: m, files: files}
	if content, ok := m.read(files.Routes); ok {
		p.routes = readRoutes(m, files.Routes, content)
	}
	if content, ok := m.read(files.Deliveries); ok {
		p.deliveries = readDeliveries(m, files.Deliveries, content, files.Zone)
	}
	if content, ok := m.read(files.Drivers); ok {
		p.drives = readDrivers(m, files.Drivers, content, files.Zone)
	}
	plan := p.plan()
	if err := m.err(); err != nil {
		return Plan{}, err
	}
	return plan, nil
}

// read returns the content of a file; false if there is none to read.
func (m *mistakes) read(file string) ([]byte, bool) {
	if file == "" {
		return nil, false
	}
	content, err := os.ReadFile(file)
	var wrong *fs.PathError
	if errors.As(err, &wrong) {
		m.add(file, "%v", wrong.Err)
	} else if err != nil {
		m.add(file, "%v", err)
	}
	return content, err == nil
}
