package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/paulmach/orb"
)

// Path is where trips go: their line and their stops, without times. It is the value of topic trajetos; the key is its ID. Trips
// that go the same way share it, also those of later versions of a timetable. Nobody changes a Path once it is made.
type Path struct {
	Shape    Shape       `json:"forma,omitempty"`
	Stops    []Stop      `json:"paradas"`            // without Due and Leaves
	Corridor float64     `json:"corredor,omitempty"` // metres from the line within which a vehicle is on its route; 0: 100
	Yards    []orb.Point `json:"patios,omitempty"`   // depots and fuel stations, longitude and latitude: within 200 m of one no vehicle is off its route
}

// ID is the beginning of the SHA-256 sum of the path, in 24 hexadecimal digits: another path has another id. It panics if a number
// of the path is infinite or none, which readers of paths refuse.
func (p Path) ID() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("fleet: path: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}
