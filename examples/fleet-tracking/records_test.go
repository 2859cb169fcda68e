package main

import (
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
)

// Records come between the positions that are due before and after them, whatever the order of the file.
func TestRecordsBesidePositions(t *testing.T) {
	file := `{"entrega":"E2","motorista":"ana","falhou":true,"motivo":"ausente","instante":25000}

{"entrega":"E1","instante":10000}
{"entrega":"E3","instante":99000}`
	records, err := readRecords("registros.jsonl", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var rows []recording.Row
	for second := int64(10); second <= 30; second += 10 {
		place := 1.0
		rows = append(rows, recording.Row{Position: fleet.Position{Vehicle: "a", Instant: fleet.Seconds(second), Lat: &place, Lon: &place}})
	}
	var got []string
	for _, in := range merged(rows, taken, records) {
		if in.record != nil {
			got = append(got, in.record.ID)
		} else {
			got = append(got, in.Time().Format("05"))
		}
	}
	if got, want := strings.Join(got, " "), "10 E1 20 E2 30 E3"; got != want {
		t.Errorf("%s come, want %s", got, want)
	}
}

func TestWrongRecords(t *testing.T) {
	_, err := readRecords("registros.jsonl", strings.NewReader(`{"entrega":"E1","instante":1}
{"entrega":"E1"}
{"instante":1}
{"entrega":`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`registros.jsonl line 2: "instante"`, `line 3: "entrega"`, "line 4: unexpected end"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
}
