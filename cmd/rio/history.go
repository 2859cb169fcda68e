package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/kafka"
)

// historyConfig selects the records of a key.
type historyConfig struct {
	topic    string
	key      string
	keyType  string
	from, to kafka.At
	late     time.Duration
	format   string
	lat, lon string // fields of the value
}

func newHistory(to *connection) *cobra.Command {
	var cfg historyConfig
	cmd := &cobra.Command{
		Use:   "history TOPIC --key KEY",
		Short: "Print the records of a key in a time range",
		Long: `Print the committed records of one key with a timestamp at or after --from and before --to, ordered by timestamp. The command
uses the time index of the log, so it only reads the relevant part of a long topic. It also finds records that were written
late: after other records with timestamps up to --late greater.

--format csv prints a column for each field of the values, which must be JSON objects. --format geojson and --format gpx are
for positions: values with a latitude and a longitude in degrees. Records without a position are skipped and counted.`,
		Example: "  rio history localizacao-veiculos --key onibus-001 --from 2026-01-16T11:00:00Z --to 2026-01-16T12:00:00Z --format gpx > onibus-001.gpx\n  rio history atrasos --key onibus-001 --format csv",
		Args:    exactlyOne("TOPIC"),
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.key, "key", "", "`key` of the records")
	from := flags.String("from", "earliest", "`time` of the first record: RFC 3339, or earliest")
	until := flags.String("to", "latest", "`time` before which the last record lies: RFC 3339, or latest")
	flags.DurationVar(&cfg.late, "late", 24*time.Hour, "`duration` by which timestamps of earlier records may be greater")
	flags.StringVar(&cfg.lat, "lat", "lat", "`field` of the value with the latitude")
	flags.StringVar(&cfg.lon, "lon", "lon", "`field` of the value with the longitude")
	format := choose(flags, "format", "output format", "jsonl", "csv", "geojson", "gpx")
	keyType := choose(flags, "key-type", "type of the keys; of windowed keys, give the key without the window", viewTypes...)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg.topic, cfg.format, cfg.keyType = args[0], format.value, keyType.value
		if err := cfg.parse(*from, *until, cmd.Flags().Changed("key")); err != nil {
			return err
		}
		return to.with(cmd.Context(), func(client *kafka.Client) error {
			return history(cmd.Context(), client, cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		})
	}
	return cmd
}

func (cfg *historyConfig) parse(from, to string, hasKey bool) error {
	var errs []error
	if !hasKey {
		errs = append(errs, usagef("--key is missing: give the key of the records to print"))
	}
	var err error
	if cfg.from, err = kafka.ParseAt(from); err != nil || cfg.from == kafka.Latest {
		errs = append(errs, usagef("--from %q: want earliest, or a time such as 2026-01-16T08:00:00Z", from))
	}
	if cfg.to, err = kafka.ParseAt(to); err != nil || cfg.to == kafka.Earliest {
		errs = append(errs, usagef("--to %q: want latest, or a time such as 2026-01-16T08:00:00Z", to))
	}
	if len(errs) == 0 && cfg.from >= 0 && cfg.to >= 0 && cfg.from >= cfg.to {
		errs = append(errs, usagef("--from %s is not before --to %s", from, to))
	}
	if cfg.late < 0 {
		errs = append(errs, usagef("--late %v: it must be positive", cfg.late))
	}
	return errors.Join(errs...)
}

// A pastRecord is a record and the partition it is in.
type pastRecord struct {
	kafka.Record
	partition int32
}

// history prints the records that cfg selects.
func history(ctx context.Context, client *kafka.Client, cfg historyConfig, out, errs io.Writer) error {
	records, err := findHistory(ctx, client, cfg)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	var leftOut int
	switch cfg.format {
	case "csv":
		err = historyCSV(w, records)
	case "geojson":
		leftOut, err = historyGeoJSON(w, cfg, records)
	case "gpx":
		leftOut, err = historyGPX(w, cfg, records)
	default:
		for i := range records {
			if err = printJSON(w, encodeRecord(records[i].partition, &records[i].Record)); err != nil {
				break
			}
		}
	}
	if err := errors.Join(err, w.Flush()); err != nil {
		return err
	}
	if len(records) == 0 {
		fmt.Fprintf(errs, "rio: topic %s has no record of key %q in that span\n", cfg.topic, cfg.key)
	}
	if leftOut > 0 {
		fmt.Fprintf(errs, "rio: %d of %d records have no %s and %s: left out; see --lat and --lon\n", leftOut, len(records), cfg.lat, cfg.lon)
	}
	return nil
}

// findHistory reads the part of the topic that may contain records in the time range, and returns these records, sorted
// by time.
func findHistory(ctx context.Context, client *kafka.Client, cfg historyConfig) ([]pastRecord, error) {
	topic, err := findTopic(ctx, client, cfg.topic)
	if err != nil {
		return nil, err
	}
	tps := partitionsOf(topic)
	starts, err := client.Offsets(ctx, tps, cfg.from)
	if err != nil {
		return nil, err
	}
	ends, err := client.Offsets(ctx, tps, kafka.LatestStable)
	if err != nil {
		return nil, err
	}
	if cfg.to >= 0 {
		later, err := client.Offsets(ctx, tps, cfg.to+kafka.At(cfg.late.Milliseconds()))
		if err != nil {
			return nil, err
		}
		for tp, end := range ends {
			ends[tp] = min(end, later[tp])
		}
	}
	var found []pastRecord
	err = readSpan(ctx, client, starts, ends, func(tp kafka.TopicPartition, r kafka.Record) error {
		if at := kafka.At(r.Timestamp); cfg.from >= 0 && at < cfg.from || cfg.to >= 0 && at >= cfg.to {
			return nil
		}
		key, err := views[cfg.keyType](r.Key)
		if err != nil {
			return fmt.Errorf("%v at %d: key: %w; see --key-type", tp, r.Offset, err)
		}
		if text := string(key); r.Key != nil && (text == cfg.key || cfg.keyType == "windowed" && strings.HasPrefix(text, cfg.key+"@")) {
			found = append(found, pastRecord{r, tp.Partition})
		}
		return nil
	})
	slices.SortStableFunc(found, func(a, b pastRecord) int {
		return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.partition, b.partition), cmp.Compare(a.Offset, b.Offset))
	})
	return found, err
}

// readSpan reads the records of each partition between two offsets.
func readSpan(ctx context.Context, client *kafka.Client, starts, ends map[kafka.TopicPartition]int64, visit func(kafka.TopicPartition, kafka.Record) error) error {
	fetcher := client.NewFetcher(kafka.FetcherConfig{})
	defer fetcher.Close()
	left := map[kafka.TopicPartition]bool{}
	for tp, start := range starts {
		if start < ends[tp] {
			left[tp] = true
			fetcher.Add(tp, start)
		}
	}
	for len(left) > 0 {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			return err
		}
		for _, f := range fetched {
			tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
			if f.Err != nil {
				return f.Err
			}
			for _, r := range f.Records {
				if r.Offset >= ends[tp] {
					break
				}
				if err := visit(tp, r); err != nil {
					return err
				}
			}
			if f.Next >= ends[tp] && left[tp] {
				delete(left, tp)
				fetcher.Remove(tp)
			}
		}
	}
	return nil
}

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

// place returns the coordinates in a value, or false if it has none.
func (cfg historyConfig) place(value []byte) (lat, lon float64, ok bool) {
	var object map[string]any
	if json.Unmarshal(value, &object) != nil {
		return 0, 0, false
	}
	lat, hasLat := object[cfg.lat].(float64)
	lon, hasLon := object[cfg.lon].(float64)
	return lat, lon, hasLat && hasLon
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
		lat, lon, ok := cfg.place(r.Value)
		if !ok {
			leftOut++
			continue
		}
		properties := map[string]any{}
		if err := json.Unmarshal(r.Value, &properties); err != nil {
			return 0, err
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
		lat, lon, ok := cfg.place(r.Value)
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
