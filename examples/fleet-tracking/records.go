package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

// recordsBeside reads what drivers noted about deliveries, and adds the file to the digest of the recording. Without a file there is
// nothing.
func recordsBeside(path string, digest io.Writer) ([]fleet.DeliveryRecord, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readRecords(filepath.Base(path), io.TeeReader(file, digest))
}

// readRecords reads JSON objects, one a line, and sorts them by time. It tells all that is wrong with them at once.
func readRecords(name string, file io.Reader) ([]fleet.DeliveryRecord, error) {
	var all []fleet.DeliveryRecord
	var mistakes []error
	lines := bufio.NewReader(file)
	for n, end := 1, false; !end; n++ {
		line, err := lines.ReadBytes('\n')
		if end = err == io.EOF; err != nil && !end {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text := bytes.TrimSpace(line)
		if len(text) == 0 {
			continue
		}
		record, err := parseRecord(text)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s line %d: %w", name, n, err))
		}
		all = append(all, record)
	}
	slices.SortStableFunc(all, func(a, b fleet.DeliveryRecord) int { return cmp.Compare(a.Instant, b.Instant) })
	return all, errors.Join(mistakes...)
}

func parseRecord(text []byte) (record fleet.DeliveryRecord, err error) {
	if err := json.Unmarshal(text, &record); err != nil {
		return record, err
	}
	switch {
	case record.ID == "":
		err = errors.New(`"entrega", the id of the delivery, is missing`)
	case record.Instant <= 0:
		err = errors.New(`"instante", the time of the record in milliseconds since 1970, is missing`)
	}
	return record, err
}

// merged puts each record before the first row that is due later. A row that is no position has no time, and stays where it is.
func merged(rows []recording.Row, due func(fleet.Position) fleet.Instant, records []fleet.DeliveryRecord) []incoming {
	all := make([]incoming, 0, len(rows)+len(records))
	for _, row := range rows {
		for len(records) > 0 && row.Err == nil && row.Fault() == "" && due(row.Position) > records[0].Instant {
			all = append(all, incoming{record: &records[0]})
			records = records[1:]
		}
		all = append(all, incoming{Row: row})
	}
	for i := range records {
		all = append(all, incoming{record: &records[i]})
	}
	return all
}
