package cases

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// poisonScript shows what a topology with a filter before its window does with a record whose timestamp is far in the future.
const poisonScript = `# One record says 2030, and the filter drops it. The window goes on with the times of the records that reach it.
send in times
@2026-01-01T10:00:00Z k=a
@2030-01-01T00:00:00Z k=broken
@2026-01-01T10:00:01Z k=b
----
counts @1767261600000 k@2026-01-01T10:00:00Z/1m0s=1
counts @1767261601000 k@2026-01-01T10:00:00Z/1m0s=2
`

// TestSemantics runs the tests that use package topologytest. One of them only has a log to check.
func TestSemantics(t *testing.T) {
	m := copyModule(t, "semantics", "streams")
	must(t, os.MkdirAll(filepath.Join(m.dir, "testdata"), 0o755))
	must(t, os.WriteFile(filepath.Join(m.dir, "testdata", "poison"), []byte(poisonScript), 0o644))
	out := m.run(t, "go", "test", "-mod=mod", "-count=1", "-v", ".")
	for _, want := range []string{
		`--- PASS: TestEmptyValueIsNotNull`, `--- PASS: TestPoisonedTime`, `--- PASS: TestTwoLooksIntoOneTable`,
		`--- PASS: TestTwoLooksThroughATopic`, `--- PASS: TestDerivedTable`, `--- PASS: TestTwoLooksWithACopy`, `--- PASS: TestWhoTellsOfLateRecords`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no match for %s in:\n%s", want, out)
		}
	}
	dropped := 0 // records dropped by a window, according to the log
	for _, line := range regexp.MustCompile(`level=WARN [^\n]* count=(\d+) [^\n]*reason=late`).FindAllStringSubmatch(out, -1) {
		n, err := strconv.Atoi(line[1])
		must(t, err)
		dropped += n
	}
	if dropped != 999 {
		t.Errorf("%d late records in the log, want 999:\n%s", dropped, out)
	}
}
