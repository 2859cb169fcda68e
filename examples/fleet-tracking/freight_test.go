package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// TestFreightDay works through two simulated freight days in one log, and through the same days written as the files of a company. The
// results must agree with what happened, and be the same from files and after a replay.
func TestFreightDay(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for seconds")
	}
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	said := succeed(t, "-freight", "-vehicles", "2", "-seed", "4", "-days", "2", "-speed", "0", "-data", at("log"), "-out", at("simulated"))
	_, comparison, _ := strings.Cut(said, "Compared with what happened:")
	t.Log(comparison)
	counts := regexp.MustCompile(`(\d+) of (\d+) (arrivals|failed|to which|detours|figures)|for (\d+) of (\d+)`).FindAllStringSubmatch(comparison, -1)
	if len(counts) != 7 {
		t.Fatalf("the comparison counts %d kinds of things, want 7: %s", len(counts), said)
	}
	for _, c := range counts {
		got, want := float(t, c[1]+c[4]), float(t, c[2]+c[5])
		if want == 0 || got < 0.9*want && got < want-1 {
			t.Errorf("%s: too few", c[0])
		}
	}

	checkTopics(t, at("log"), 18)

	succeed(t, "-data", at("log"), "-replay", "-out", at("replayed"))
	reporttest.Same(t, at("simulated"), at("replayed"))

	succeed(t, "-freight", "-vehicles", "2", "-seed", "4", "-days", "2", "-write", at("files"))
	file := func(name string) string { return filepath.Join(at("files"), name) }
	succeed(t, "load", "-routes", file("rotas.geojson"), "-deliveries", file("entregas.csv"), "-drivers", file("motoristas.csv"), "-data", at("own"))
	succeed(t, "-positions", file("posicoes.csv"), "-records", file("registros.jsonl"), "-arrival-order", "-data", at("own"), "-out", at("from files"))
	reporttest.Same(t, at("simulated"), at("from files"))
}
