package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/freight"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

// The files of a simulated freight day beside those of its plan.
const (
	positionsFile = "posicoes.csv"
	recordsFile   = "registros.jsonl" // a fleet.DeliveryRecord a line
)

// freightDay is a simulated day of delivery vehicles. Its plan comes from files, as that of a company does.
func freightDay(o options) (_ *input, err error) {
	var truth simulation.FreightTruth
	day := simulation.NewFreight(simulation.FreightConfig{Vehicles: o.vehicles, Seed: o.seed, Days: o.wholeDays(), Truth: &truth})
	dir, err := os.MkdirTemp("", "fleet-tracking-plan-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := day.Plan().Write(dir); err != nil {
		return nil, err
	}
	files, err := freight.Load(freight.Files{
		Routes:     filepath.Join(dir, simulation.RoutesFile),
		Deliveries: filepath.Join(dir, simulation.DeliveriesFile),
		Drivers:    filepath.Join(dir, simulation.DriversFile),
	})
	if err != nil {
		return nil, err
	}
	in := &input{
		name:  fmt.Sprintf("freight simulation vehicles=%d seed=%d days=%d", o.vehicles, o.seed, o.wholeDays()),
		group: inputGroup,
		feed:  &gtfs.Feed{Zone: simulation.Zone},
		plan:  planOf(files),
		drove: &truth,
		due:   arrival,
	}
	in.next = func() (incoming, error) {
		m, ok := day.Next()
		if !ok {
			return incoming{}, io.EOF
		}
		in.last = m.Arrival
		if m.Record != nil {
			return incoming{record: m.Record}, nil
		}
		if in.first == 0 {
			in.first = m.Arrival
		}
		return incoming{Row: recording.Row{Position: *m.Position}}, nil
	}
	return in, nil
}

// writeFreight writes a simulated freight day as the files that a company would have.
func writeFreight(o options, stdout io.Writer) error {
	day := simulation.NewFreight(simulation.FreightConfig{Vehicles: o.vehicles, Seed: o.seed, Days: o.wholeDays()})
	if err := day.Plan().Write(o.write); err != nil {
		return err
	}
	positions, err := os.Create(filepath.Join(o.write, positionsFile))
	if err != nil {
		return err
	}
	defer positions.Close()
	records, err := os.Create(filepath.Join(o.write, recordsFile))
	if err != nil {
		return err
	}
	defer records.Close()
	table, lines := csv.NewWriter(positions), json.NewEncoder(records)
	err = table.Write([]string{"seq", "vehicle_id", "gps_ms", "capture_ms", "lat", "lon", "speed_mps", "ignition"})
	for m, ok := day.Next(); ok && err == nil; m, ok = day.Next() {
		if m.Record != nil {
			err = lines.Encode(m.Record)
		} else {
			err = table.Write(positionRow(*m.Position))
		}
	}
	table.Flush()
	if err = errors.Join(err, table.Error(), positions.Close(), records.Close()); err != nil {
		return err
	}
	path := func(name string) string { return filepath.Join(o.write, name) }
	fmt.Fprintf(stdout, "Written to %s. Process it as your own:\n", o.write)
	fmt.Fprintf(stdout, "  fleet-tracking load -routes %s -deliveries %s -drivers %s -data LOG\n",
		path(simulation.RoutesFile), path(simulation.DeliveriesFile), path(simulation.DriversFile))
	fmt.Fprintf(stdout, "  fleet-tracking -positions %s -records %s -arrival-order -data LOG -out RESULTS\n", path(positionsFile), path(recordsFile))
	return nil
}

// positionRow is a position as a row of a CSV file.
func positionRow(p fleet.Position) []string {
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'f', -1, 64)
	}
	ignition := ""
	if p.Ignition != nil {
		ignition = strconv.FormatBool(*p.Ignition)
	}
	return []string{
		strconv.FormatInt(p.Seq, 10), p.Vehicle, strconv.FormatInt(int64(p.Instant), 10), strconv.FormatInt(int64(p.Arrival), 10),
		number(p.Lat), number(p.Lon), number(p.Speed), ignition,
	}
}
