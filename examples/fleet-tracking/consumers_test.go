package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/customers"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/kafka"
)

// quietly opens the program's log with some arguments, and closes it at the end of the test.
func quietly(t *testing.T, args ...string) *app {
	t.Helper()
	o, err := parseOptions(args, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := open(t.Context(), o, stdout, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
		stdout.Close()
	})
	return a
}

// TestPages starts all consumers, and goes from the index to the pages of the staff and on to that of a delivery. The customer's name is markup.
func TestPages(t *testing.T) {
	t.Parallel()
	a := quietly(t, "-live", "-data", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const script = "<script>alert(1)</script>"
	delivery := fleet.Delivery{ID: "E1", Customer: script, Trip: "T1", Day: "20260105", To: fleet.Seconds(3600)}
	if _, err := a.load(ctx, plan{deliveries: map[string]fleet.Delivery{"E1": delivery}}); err != nil {
		t.Fatal(err)
	}
	pages := newPages()
	stop, err := a.startConsumers(ctx, pages)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	// get waits until the tasks have started, and the page says something.
	get := func(path, says string) string {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			answer := httptest.NewRecorder()
			pages.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
			body := answer.Body.String()
			if answer.Code == 200 && strings.Contains(body, says) {
				if answer.Header().Get("Referrer-Policy") != "no-referrer" || !strings.Contains(answer.Header().Get("Content-Security-Policy"), "default-src 'none'") {
					t.Errorf("%s: headers %v", path, answer.Header())
				}
				if strings.Contains(body, "<script") {
					t.Errorf("%s: markup comes through:\n%s", path, body)
				}
				return body
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				t.Fatalf("%s: status %d, and no %q in\n%s", path, answer.Code, says, body)
			}
		}
	}
	get("/", "customers</a>: the status of each delivery")
	var list string
	for _, link := range pages.nav() {
		body := get(link.Path, "<h1>")
		for _, other := range pages.nav()[1:] {
			if !strings.Contains(body, `<a href="`+other.Path+`">`+other.Name+`</a>`) {
				t.Errorf("%s has no link to %s:\n%s", link.Path, other.Path, body)
			}
		}
		list = link.Path // the last
	}
	body := get(list, "E1")
	_, after, _ := strings.Cut(body, `<a href="/entregas/`)
	path, _, _ := strings.Cut(after, `"`)
	page := get("/entregas/"+path, "conforme o plano de entregas")
	if strings.Contains(page, "/drivers") || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("the page of the delivery is\n%s", page)
	}
}

// TestRetention opens a log with several options. What names persons is deleted by age with vehicles of one's own, unless the command line or the
// log says otherwise.
func TestRetention(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	recording := []string{"-positions", "main_test.go"}
	for _, test := range []struct {
		args            []string
		drivers, avisos string // retention.ms
	}{
		{append(recording, "-data", filepath.Join(dir, "a")), "-1", "-1"},
		{[]string{"-live", "-data", filepath.Join(dir, "a")}, "-1", "-1"}, // as it was
		{[]string{"-live", "-data", filepath.Join(dir, "a"), "-keep-drivers", "30"}, "2592000000", "-1"},
		{[]string{"-live", "-data", filepath.Join(dir, "a"), "-keep-drivers", "0", "-keep-messages", "2"}, "-1", "172800000"},
		{[]string{"-live", "-data", filepath.Join(dir, "b")}, "5184000000", "2592000000"},
		{append(recording, "-data", filepath.Join(dir, "c"), "-keep-messages", "2"), "-1", "172800000"},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			a := quietly(t, test.args...)
			for name, want := range map[string]string{drivers.Days.Name(): test.drivers, customers.Messages.Name(): test.avisos} {
				if got := retentionOf(t, a.client, name); got != want {
					t.Errorf("%s keeps records for %s ms, want %s", name, got, want)
				}
			}
			cfg, err := a.management(t.Context())
			if err != nil || (cfg.Keep < 0) != (test.drivers == "-1") || cfg.Limits.Fleet != 60 {
				t.Errorf("drivers are held to %+v, %v", cfg, err)
			}
		})
	}
}

func retentionOf(t *testing.T, client *kafka.Client, topic string) string {
	t.Helper()
	settings, err := client.TopicConfig(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return settings["retention.ms"]
}
