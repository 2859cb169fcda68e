package freight

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/paulmach/orb"
)

// gpxLine is an element trk or rte of a GPX file (https://www.topografix.com/GPX/1/1/).
type gpxLine struct {
	Name     string     `xml:"name"`
	Segments []gpxLine  `xml:"trkseg"`
	Track    []gpxPoint `xml:"trkpt"`
	Route    []gpxPoint `xml:"rtept"`
}

// gpxPoint is an element trkpt, rtept or wpt. Only a waypoint has a type: depot or fuel.
type gpxPoint struct {
	Lat  string `xml:"lat,attr"`
	Lon  string `xml:"lon,attr"`
	Name string `xml:"name"`
	Type string `xml:"type"`
}

func (p gpxPoint) point() (orb.Point, error) {
	lat, ok := parseNumber(p.Lat, -90, 90)
	if !ok {
		return orb.Point{}, fmt.Errorf("lat %q is not %s", p.Lat, latitude)
	}
	lon, ok := parseNumber(p.Lon, -180, 180)
	if !ok {
		return orb.Point{}, fmt.Errorf("lon %q is not %s", p.Lon, longitude)
	}
	return orb.Point{lon, lat}, nil
}

// readGPX reads tracks and routes. Waypoints are depots and fuel stations, if their type says so; others are left out.
func (r *routes) readGPX(content []byte) {
	tokens := xml.NewDecoder(bytes.NewReader(content))
	var unnamed []route
	named := 0
	for {
		token, err := tokens.Token()
		if err == io.EOF {
			break
		}
		line, _ := tokens.InputPos()
		at := place{r.file, line}
		start, ok := token.(xml.StartElement)
		if err == nil && ok {
			switch start.Name.Local {
			case "trk", "rte":
				var l gpxLine
				if err = tokens.DecodeElement(&l, &start); err == nil {
					one := route{place: at, id: strings.TrimSpace(l.Name)}
					var good bool
					if one.line, good = r.gpxPoints(at, l); !good {
						continue
					}
					if one.id == "" {
						unnamed = append(unnamed, one)
						continue
					}
					named++
					r.addLine(at, one)
				}
			case "wpt":
				var p gpxPoint
				if err = tokens.DecodeElement(&p, &start); err == nil {
					r.addWaypoint(at, p)
				}
			}
		}
		if err != nil {
			line, _ := tokens.InputPos()
			r.at(place{r.file, line}, "no GPX: %v", errText(err))
			return
		}
	}
	base := strings.TrimSuffix(filepath.Base(r.file), filepath.Ext(r.file))
	for _, one := range unnamed {
		if len(unnamed) == 1 && named == 0 {
			one.id = base
		}
		r.addLine(one.place, one)
	}
	if named+len(unnamed) == 0 && len(r.found) == 0 {
		r.add(r.file, "no track and no route")
	}
}

func (r *routes) gpxPoints(at place, l gpxLine) ([]orb.Point, bool) {
	all := append(l.Track, l.Route...)
	for _, s := range l.Segments {
		all = append(all, s.Track...)
	}
	line := make([]orb.Point, len(all))
	for i, p := range all {
		var err error
		if line[i], err = p.point(); err != nil {
			r.at(at, "point %d of %q: %v", i+1, strings.TrimSpace(l.Name), err)
			return nil, false
		}
	}
	return line, true
}

func (r *routes) addWaypoint(at place, p gpxPoint) {
	if _, known := siteKinds[plain(p.Type)]; !known {
		return
	}
	point, err := p.point()
	if err != nil {
		r.at(at, "waypoint %q: %v", p.Name, err)
		return
	}
	r.addSite(at, p.Type, site{name: strings.TrimSpace(p.Name), point: point})
}

// errText is an error of package xml without its line, which is told anyway.
func errText(err error) string {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Msg
	}
	return err.Error()
}
