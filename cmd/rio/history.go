package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
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
	starts, ends, err := span(ctx, client, cfg.topic, cfg.from)
	if err != nil {
		return nil, err
	}
	if cfg.to >= 0 {
		later, err := client.Offsets(ctx, slices.Collect(maps.Keys(ends)), cfg.to+kafka.At(cfg.late.Milliseconds()))
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
