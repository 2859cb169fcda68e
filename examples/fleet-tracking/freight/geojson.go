package freight

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/paulmach/orb"
)

// feature is a feature of a GeoJSON file (RFC 7946).
type feature struct {
	Type       string                     `json:"type"`
	ID         any                        `json:"id"`
	Properties map[string]json.RawMessage `json:"properties"`
	Geometry   *struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

// readGeoJSON reads a collection of features, or a single one.
func (r *routes) readGeoJSON(content []byte) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	var whole struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(content, &whole); err != nil {
		r.at(place{r.file, lineOf(content, jsonOffset(content, err))}, "no GeoJSON: %v", err)
		return
	}
	switch whole.Type {
	case "FeatureCollection":
		from := 0
		for _, raw := range whole.Features {
			from += max(0, bytes.Index(content[from:], raw)) // the decoder keeps the text of a feature as it is
			r.addFeature(place{r.file, lineOf(content, from)}, raw)
			from += len(raw)
		}
	case "Feature":
		r.addFeature(place{r.file, 1}, content)
	default:
		r.add(r.file, "type %q is neither FeatureCollection nor Feature", whole.Type)
	}
}

// addFeature adds a route or a site.
func (r *routes) addFeature(at place, raw []byte) {
	var f feature
	if err := json.Unmarshal(raw, &f); err != nil {
		r.at(at, "no feature: %v", err)
		return
	}
	if f.Geometry == nil {
		r.at(at, "the feature has no geometry")
		return
	}
	switch f.Geometry.Type {
	case "LineString", "MultiLineString":
		line, err := f.line()
		if err != nil {
			r.at(at, "%v", err)
			return
		}
		r.addLine(at, route{
			id: cmp.Or(f.text("route", "rota", "linha", "route_id"), f.id(), f.text("name", "nome")), line: line,
			corridor: r.metresOf(at, f, "corridor", "corredor"),
		})
	case "Point":
		points, err := decodePoints("[" + string(f.Geometry.Coordinates) + "]")
		if err != nil {
			r.at(at, "%v", err)
			return
		}
		r.addSite(at, f.text("kind", "tipo"), site{
			name: cmp.Or(f.text("name", "nome"), f.id()), route: f.text("route", "rota", "linha", "route_id"), point: points[0],
			radius: r.metresOf(at, f, "radius", "raio"),
		})
	default:
		r.at(at, "geometry %q is no LineString, MultiLineString or Point", f.Geometry.Type)
	}
}

// line is the line of a feature; the parts of a MultiLineString follow each other.
func (f feature) line() ([]orb.Point, error) {
	if f.Geometry.Type == "LineString" {
		return decodePoints(string(f.Geometry.Coordinates))
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(f.Geometry.Coordinates, &parts); err != nil {
		return nil, errors.New("coordinates are no list of lines")
	}
	var line []orb.Point
	for _, part := range parts {
		points, err := decodePoints(string(part))
		if err != nil {
			return nil, err
		}
		line = append(line, points...)
	}
	return line, nil
}

// decodePoints reads a list of positions: longitude, latitude, and perhaps a height.
func decodePoints(text string) ([]orb.Point, error) {
	var positions [][]float64
	if err := json.Unmarshal([]byte(text), &positions); err != nil {
		return nil, errors.New("coordinates are no list of longitudes and latitudes")
	}
	points := make([]orb.Point, len(positions))
	for i, p := range positions {
		if len(p) < 2 {
			return nil, fmt.Errorf("position %d has %d numbers: longitude and latitude are needed", i+1, len(p))
		}
		points[i] = orb.Point{p[0], p[1]}
	}
	return points, nil
}

// id is the id of the feature, a text or a number.
func (f feature) id() string {
	if f.ID == nil {
		return ""
	}
	return fmt.Sprint(f.ID)
}

// text is the first property of some names that has a value, a text or a number.
func (f feature) text(names ...string) string {
	for _, name := range names {
		raw, ok := f.Properties[name]
		if !ok || string(raw) == "null" {
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		if text = strings.TrimSpace(text); text != "" {
			return text
		}
	}
	return ""
}

// metresOf is a property in metres, 0 where there is none.
func (r *routes) metresOf(at place, f feature, names ...string) float64 {
	text := f.text(names...)
	if text == "" {
		return 0
	}
	x, ok := parseNumber(text, 1, 100_000)
	if !ok {
		r.at(at, "%s %q is not %s", names[0], text, metres)
	}
	return x
}

// jsonOffset is where in a JSON text an error lies.
func jsonOffset(content []byte, err error) int {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return int(syntax.Offset)
	case errors.As(err, &wrongType):
		return int(wrongType.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return len(content)
	}
	return 0
}

func lineOf(content []byte, offset int) int {
	return 1 + bytes.Count(content[:min(offset, len(content))], []byte("\n"))
}
