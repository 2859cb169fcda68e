package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// TestBadRows: rows that say nothing, or nonsense, are left out of the results and counted, in a replay too; whoever wants them to
// end the run says so.
func TestBadRows(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	rows := `vehicle_id,vehicle_timestamp,feed_timestamp,lat,lon
a,1768561200,1768561201,-10.95,-37.05
a,1768561210
"a,1768561220,1768561221,-10.95,-37.05
a,,1768561221,-10.95,-37.05
,1768561220,1768561221,-10.95,-37.05
a,1768561230,1768561231,,
a,1768561240,1768561241,0,0
a,1768561250,1768561251,-100.95,-37.05
a,1772017200,1768561261,-10.95,-37.05
a,1767000000,1768561271,-10.95,-37.05
a,1768561200,1768561281,-10.95,-37.05
a,1768561290,1768561291,-10.94,-37.05
a,1768550000,1768561301,-10.93,-37.05
a,-5,1768561311,-10.95,-37.05
a,99999999999,1768561321,-10.95,-37.05
`
	if err := os.WriteFile(at("posicoes.csv"), []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout := succeed(t, "-positions", at("posicoes.csv"), "-arrival-order", "-data", at("log"), "-out", at("out"))
	if !strings.Contains(stdout, "4 dead-lettered") {
		t.Errorf("output does not tell of 4 dead letters:\n%s", stdout)
	}
	account := `key,value
account_rows,15
account_fixes,3
account_unreadable,4
account_no_time,1
account_no_vehicle,1
account_no_position,1
account_zero_position,1
account_outside_the_globe,1
account_clock_ahead,1
account_clock_behind,1
account_repeat,1
rows_without_arrival,0
pairs_clean,1
pairs_gap,0
pairs_jump,0
fixes_late,1
fixes_no_trip,3
fixes_unknown_trip,0
fixes_bad_day,0
fixes_no_shape_and_no_stops,0
fixes_overtaken,0
fixes_swapped_suspected,0
fixes_off_route,0
fixes_implausible_place,0
`
	if got := reporttest.Files(t, at("out"))["account.csv"]; got != account {
		t.Errorf("account is\n%swant\n%s", got, account)
	}
	succeed(t, "-data", at("log"), "-replay", "-out", at("again"))
	reporttest.Same(t, at("out"), at("again"))

	for _, policy := range []string{"skip", "dead-letter"} { // the account does not depend on it
		succeed(t, "-positions", at("posicoes.csv"), "-arrival-order", "-on-error", "skip", "-data", at("skipped"), "-out", at(policy))
		reporttest.Same(t, at("out"), at(policy))
	}
	code, _, stderr := command(t, t.Context(), "-positions", at("posicoes.csv"), "-on-error", "fail")
	if code != 1 || !strings.Contains(stderr, "decode localizacao-veiculos/0") {
		t.Errorf("with -on-error fail it ends with %d and says %q", code, stderr)
	}
}
