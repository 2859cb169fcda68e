package simulation

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
)

// The files of a plan, by name, as a company of its own would have them: package freight reads them.
const (
	RoutesFile     = "rotas.geojson"
	DeliveriesFile = "entregas.csv"
	DriversFile    = "motoristas.csv"
)

// Write makes the files of the plan in a folder, which it creates if need be.
func (p Plan) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("simulation: %w", err)
	}
	routes, err := p.geoJSON()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, RoutesFile), routes, 0o666)
	}
	if err == nil {
		err = report.WriteTable(filepath.Join(dir, DeliveriesFile), p.deliveryRows())
	}
	if err == nil {
		err = report.WriteTable(filepath.Join(dir, DriversFile), p.driverRows())
	}
	if err != nil {
		return fmt.Errorf("simulation: %w", err)
	}
	return nil
}

// feature is a feature of GeoJSON (RFC 7946).
type feature struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Geometry   geometry       `json:"geometry"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

// geoJSON has the lines of the routes and the depots, a feature a line.
func (p Plan) geoJSON() ([]byte, error) {
	var features []feature
	for _, d := range p.Depots {
		features = append(features, feature{"Feature", map[string]any{"tipo": "depósito", "nome": d.ID}, geometry{"Point", d.Point}})
	}
	for _, r := range p.Routes {
		line := make(orb.LineString, len(r.Line))
		for i, v := range r.Line {
			line[i] = v.Point()
		}
		features = append(features, feature{"Feature", map[string]any{"rota": r.ID}, geometry{"LineString", line}})
	}
	text := []byte(`{"type":"FeatureCollection","features":[`)
	for i, f := range features {
		one, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, '\n'), one...)
	}
	return append(text, "\n]}\n"...), nil
}

func (p Plan) deliveryRows() [][]string {
	rows := [][]string{{"entrega", "cliente", "lat", "lon", "de", "ate", "rota", "ordem"}}
	for _, d := range p.Deliveries {
		route := d.Trip[:len(d.Trip)-len("@")-len(d.Day)]
		rows = append(rows, []string{d.ID, d.Customer, number(d.Lat), number(d.Lon), p.moment(d.From), p.moment(d.To), route, strconv.Itoa(d.Order)})
	}
	return rows
}

func (p Plan) driverRows() [][]string {
	rows := [][]string{{"motorista", "veiculo", "rota", "de", "ate"}}
	for _, d := range p.Drives {
		rows = append(rows, []string{d.Driver, d.Vehicle, d.Route, p.moment(d.From), p.moment(d.To)})
	}
	return rows
}

func (p Plan) moment(at fleet.Instant) string { return at.Time().In(p.Zone).Format(time.RFC3339) }

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
