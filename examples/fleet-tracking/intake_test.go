package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// TestPositionsByHTTP sends positions from several phones, some of them twice, and invalid requests. The log must contain every
// position that the server answered with 200.
func TestPositionsByHTTP(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	at, address := embedded(t), freeAddress(t)
	files := filepath.Join(t.TempDir(), "files")
	p := at.start(t, []string{"-live", "-http", address, "-out", files})
	at.dial(t).Close()
	awaitHTTP(t, address)

	now := time.Now()
	var senders sync.WaitGroup
	for phone := range 8 {
		senders.Go(func() {
			for i := range 10 {
				taken := now.Add(time.Duration(i-10) * time.Second)
				url := fmt.Sprintf("http://%s/?id=caminhao-%d&lat=%f&lon=-37.05&timestamp=%d", address, phone, -10.95+float64(i)*10/111195, taken.UnixMilli())
				for range 1 + i%2 { // every other one twice
					if status := get(t, url); status != http.StatusOK {
						t.Errorf("%s: status %d", url, status)
					}
				}
			}
		})
	}
	senders.Wait()
	for _, wrong := range []string{"", "?id=a", "?id=a&lat=north&lon=1"} {
		if status := get(t, "http://"+address+"/"+wrong); status != http.StatusBadRequest {
			t.Errorf("%q: status %d, want %d", wrong, status, http.StatusBadRequest)
		}
	}
	body := fmt.Sprintf(`{"device_id":"celular","location":{"timestamp":%q,"coords":{"latitude":-10.9,"longitude":-37}}}`, now.UTC().Format(time.RFC3339))
	answer, err := http.Post("http://"+address, "application/json", strings.NewReader(body))
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("JSON: %v, %v", answer, err)
	}
	answer.Body.Close()

	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.succeed()
	for _, r := range reporttest.Rows(t, filepath.Join(files, "account.csv")) {
		want := map[string]string{"account_rows": "121", "account_fixes": "81", "account_repeat": "40", "pairs_clean": "72"}[r["key"]]
		if want != "" && r["value"] != want {
			t.Errorf("%s is %s, want %s", r["key"], r["value"], want)
		}
	}
}

// awaitHTTP waits until a server answers.
func awaitHTTP(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		answer, err := http.Get("http://" + address)
		if err == nil {
			answer.Body.Close()
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(err)
		}
	}
}

func get(t *testing.T, url string) (status int) {
	answer, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}
