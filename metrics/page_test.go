package metrics

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write docs/metrics.md")

// TestPage compares docs/metrics.md with the table.
func TestPage(t *testing.T) {
	const name = "../docs/metrics.md"
	if *rewrite {
		if err := os.WriteFile(name, []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Page(), string(page)); diff != "" {
		t.Errorf("docs/metrics.md is stale: run go generate ./metrics\n%s", diff)
	}
}
