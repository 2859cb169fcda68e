package main

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// clock returns the timestamp of a record in RFC 3339.
func clock(r pastRecord) string { return time.UnixMilli(r.Timestamp).UTC().Format(time.RFC3339Nano) }

// historyCSV writes a row for each record: time, partition, offset and key, followed by the fields of all values,
// sorted by name.
func historyCSV(out io.Writer, records []pastRecord) error {
	objects := make([]map[string]json.RawMessage, len(records))
	fields := map[string]bool{}
	for i, r := range records {
		if r.Value == nil {
			continue
		}
		if err := json.Unmarshal(r.Value, &objects[i]); err != nil {
			return fmt.Errorf("partition %d at %d: the value is not a JSON object: use --format jsonl", r.partition, r.Offset)
		}
		for name := range objects[i] {
			fields[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	w := csv.NewWriter(out)
	w.Write(slices.Concat([]string{"time", "partition", "offset", "key"}, names))
	for i, r := range records {
		row := []string{clock(r), strconv.Itoa(int(r.partition)), strconv.FormatInt(r.Offset, 10), string(r.Key)}
		for _, name := range names {
			row = append(row, plainText(objects[i][name]))
		}
		w.Write(row)
	}
	w.Flush()
	return w.Error()
}

// plainText returns a JSON string without its quotes, "" for null or a missing field, and any other JSON as it is.
func plainText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// place returns the fields of a value and the coordinates among them, or false if it has none.
func (cfg historyConfig) place(value []byte) (fields map[string]any, lat, lon float64, ok bool) {
	if json.Unmarshal(value, &fields) != nil {
		return nil, 0, 0, false
	}
	lat, hasLat := fields[cfg.lat].(float64)
	lon, hasLon := fields[cfg.lon].(float64)
	return fields, lat, lon, hasLat && hasLon
}

// historyGeoJSON writes a collection of points (RFC 7946), with the fields of the value and the time as properties.
func historyGeoJSON(out io.Writer, cfg historyConfig, records []pastRecord) (leftOut int, err error) {
	type geometry struct {
		Type        string     `json:"type"`
		Coordinates [2]float64 `json:"coordinates"`
	}
	type feature struct {
		Type       string         `json:"type"`
		Geometry   geometry       `json:"geometry"`
		Properties map[string]any `json:"properties"`
	}
	collection := struct {
		Type     string    `json:"type"`
		Features []feature `json:"features"`
	}{"FeatureCollection", []feature{}}
	for _, r := range records {
		properties, lat, lon, ok := cfg.place(r.Value)
		if !ok {
			leftOut++
			continue
		}
		properties["time"] = clock(r)
		collection.Features = append(collection.Features, feature{"Feature", geometry{"Point", [2]float64{lon, lat}}, properties})
	}
	return leftOut, printJSON(out, collection)
}

// historyGPX writes a track (https://www.topografix.com/GPX/1/1/).
func historyGPX(out io.Writer, cfg historyConfig, records []pastRecord) (leftOut int, err error) {
	type point struct {
		Lat  float64 `xml:"lat,attr"`
		Lon  float64 `xml:"lon,attr"`
		Time string  `xml:"time"`
	}
	track := struct {
		XMLName xml.Name `xml:"http://www.topografix.com/GPX/1/1 gpx"`
		Version string   `xml:"version,attr"`
		Creator string   `xml:"creator,attr"`
		Name    string   `xml:"trk>name"`
		Points  []point  `xml:"trk>trkseg>trkpt"`
	}{Version: "1.1", Creator: "rio history", Name: cfg.key}
	for _, r := range records {
		_, lat, lon, ok := cfg.place(r.Value)
		if !ok {
			leftOut++
			continue
		}
		track.Points = append(track.Points, point{lat, lon, clock(r)})
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return 0, err
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", " ")
	if err := encoder.Encode(track); err != nil {
		return 0, err
	}
	_, err = io.WriteString(out, "\n")
	return leftOut, err
}
