package recording

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// gpx reads the track points of a GPX file (https://www.topografix.com/GPX/1/1/). The vehicle is the one that the options name,
// else the name of the track.
type gpx struct {
	name    string
	tokens  *xml.Decoder
	options Options
	track   string
	count   int64
}

func newGPX(name string, file io.Reader, o Options) (Source, error) {
	return &gpx{name: name, tokens: xml.NewDecoder(file), options: o}, nil
}

// trackPoint is an element trkpt. Speed, in m/s, is of GPX 1.0; later versions have it in an extension.
type trackPoint struct {
	Lat       *float64 `xml:"lat,attr"`
	Lon       *float64 `xml:"lon,attr"`
	Time      string   `xml:"time"`
	Speed     *float64 `xml:"speed"`
	Extension *float64 `xml:"extensions>TrackPointExtension>speed"`
	Course    *float64 `xml:"course"`
}

// Next implements Source.
func (r *gpx) Next() (Row, error) {
	for {
		token, err := r.tokens.Token()
		if err == io.EOF {
			return Row{}, io.EOF
		}
		if err != nil {
			return Row{}, r.failed(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "trk":
			r.track = ""
		case "name":
			var name string
			if err := r.tokens.DecodeElement(&name, &start); err != nil {
				return Row{}, r.failed(err)
			}
			r.track = strings.TrimSpace(name)
		case "trkpt":
			return r.point(start)
		}
	}
}

func (r *gpx) point(start xml.StartElement) (Row, error) {
	r.count++
	line, _ := r.tokens.InputPos()
	var p trackPoint
	if err := r.tokens.DecodeElement(&p, &start); err != nil {
		return Row{}, r.failed(err)
	}
	row := Row{Position: fleet.Position{
		Vehicle: cmp.Or(r.options.Vehicle, r.track), Seq: r.count, Lat: p.Lat, Lon: p.Lon, Speed: cmp.Or(p.Speed, p.Extension), Bearing: p.Course,
	}}
	if p.Time == "" {
		return row, nil
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(p.Time))
	if err != nil {
		err = fmt.Errorf("recording: %s line %d: time %q is not like 2026-01-16T08:00:00Z", r.name, line, p.Time)
		return Row{Text: fmt.Sprintf("<trkpt><time>%s</time></trkpt>", p.Time), Err: err}, nil
	}
	row.Instant = fleet.InstantOf(at)
	return row, nil
}

func (r *gpx) failed(err error) error {
	line, _ := r.tokens.InputPos()
	return fmt.Errorf("recording: %s line %d: %w", r.name, line, err)
}
