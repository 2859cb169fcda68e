package recording

import (
	"encoding/json"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// jsonLines reads a file of JSON objects, one a line, with the fields of fleet.Position.
type jsonLines struct {
	*lines
	options Options
}

// Next implements Source.
func (r *jsonLines) Next() (Row, error) {
	return r.row(func(text string) (p fleet.Position, err error) {
		err = json.Unmarshal([]byte(text), &p)
		if p.Vehicle == "" {
			p.Vehicle = r.options.Vehicle
		}
		return p, err
	})
}
