package fleet

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestForecastRecord writes a forecast as a record and reads it back, through JSON.
func TestForecastRecord(t *testing.T) {
	at, delay := Seconds(1768585200), 12.5
	f := Forecast{
		Run: Run{Vehicle: "V1", Trip: "T1", Day: "20260116"}, Path: "p", Instant: at, Timed: true, Since: at - 30_000, Left: 0.25, Delay: &delay, Next: 7,
		Stops: []Expected{
			{Sequence: 7, Stop: "a", Due: at - 10_000, Arrives: at + 1, Low: at, High: at + 75_000, Known: 1},
			{Sequence: 9, Stop: "b", Due: at + 60_000, Leaves: at + 90_000, Arrives: at + 80_123, Low: at + 5_000, High: at + 155_000, Known: 1},
			{Sequence: 10, Stop: "E1", Due: at, Arrives: at + 200_000, Low: at + 100_000, High: at + 300_000, Delivery: true},
		},
	}
	before := f
	text, err := json.Marshal(f.Record())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"veiculo":"V1","viagem":"T1","data":"20260116","trajeto":"p","instante":1768585200000,"comHorario":true,"paradaAnterior":1768585170000,` +
		`"resta":0.25,"atraso":12.5,"proxima":7,"paradas":{"sequencia":[7,9,10],"parada":["a","b","E1"],"chegadaPrevista":[-10000,60000,0],` +
		`"chegada":[1,80123,200000],"de":[0,5000,100000],"ate":[75000,155000,300000],"trechosComHistoria":[1,1,0],` +
		`"esperas":[{"sequencia":9,"partidaPrevista":90000}],"entregas":[10]}}`
	if string(text) != want {
		t.Errorf("the record is\n%s, want\n%s", text, want)
	}
	var record ForecastRecord
	if err := json.Unmarshal(text, &record); err != nil {
		t.Fatal(err)
	}
	if got := record.Whole(); !reflect.DeepEqual(got, f) || !reflect.DeepEqual(f, before) {
		t.Errorf("read back, the forecast is\n%+v, want\n%+v", got, f)
	}
	record.Stops.High, record.Stops.Waits = record.Stops.High[:1], append(record.Stops.Waits, PlannedWait{Sequence: 99})
	if got := record.Whole(); got.Stops[2].High != at || got.Stops[1].Leaves != at+90_000 {
		t.Errorf("of a record whose lists differ in length the forecast is %+v", got)
	}
}
