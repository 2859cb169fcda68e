package cases

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// program is one run of a program with the expected output.
type program struct {
	name    string
	args    string
	matches []string // regular expressions that must match the output, across lines
	rejects []string // regular expressions that must not match
	long    bool
}

var programs = []program{
	// 24 s of calls are needed to show the bug. TestSlowHandlersCommitOnTheWay of package runner does the same in a second.
	{name: "01-slow-handler-transaction-timeout", matches: []string{`results readable 600`, `all done\nstop: <nil>`}, long: true},
	{name: "03-internal-topics-append-time", matches: []string{
		`10:00:00Z/\S+ 1\n\S+10:00:00Z/\S+ 2\n\S+13:00:00Z/\S+ 1\n`,
		`-by-repartition message.timestamp.type = CreateTime`, `-counts-changelog message.timestamp.type = CreateTime`,
	}},
	{name: "04-window-changelog-retention", matches: []string{`=1 .*=2 .*=3 .*=4 .*=5 .*=6 .*=7 .*=8 .*=9 .*=10 \n`}},
	{name: "05-batch-larger-than-topic-allows", matches: []string{`ended: true <nil>`, `results: 1000 of 1000`}},
	{name: "05-batch-larger-than-topic-allows", args: "-alo", matches: []string{`ended: true <nil>`, `results: 1000 of 1000`}},
	{name: "05-batch-larger-than-topic-allows", args: "-skip", matches: []string{`ended: true <nil>`, `results: 1000 of 1000`}},
	{name: "06-refused-record-ignores-policy", matches: []string{`ended: true <nil>`, `results: 9 dead letters: 0`, `in-\w+/0 at 5`}},
	{name: "06-refused-record-ignores-policy", args: "-action dead-letter", matches: []string{`ended: true <nil>`, `results: 9 dead letters: 1`}},
	{name: "06-refused-record-ignores-policy", args: "-state", matches: []string{`ended: true <nil>`, `results: 10 dead letters: 0`}},
	// The output topic rejects times more than an hour ahead, and a row of a table has the greatest time of its records.
	{name: "07-future-time-refused-ignores-policy", matches: []string{`ended: true <nil>`, `results: 5 dead letters: 5`}},
	{name: "07-future-time-refused-ignores-policy", args: "-ahead 10m", matches: []string{`ended: true <nil>`, `results: 10 dead letters: 0`}},
	{name: "08-latest-leaves-tables-empty", matches: []string{`c1 new order of "Ana" \(found true\)`, `c2 new order of "Rui" \(found true\)`}, rejects: []string{`c1 old order`}},
	{name: "09-latest-skips-new-partitions", matches: []string{`a first\n`, `b into the new partition\n`, `b later\n`}},
	{name: "11-empty-key-and-value", matches: []string{
		`count "" nil=false 1 <nil>\ncount "" nil=false 2 <nil>\ncount "" nil=false 3 <nil>\ncount "" nil=false 4 <nil>\n`,
		`count "x" nil=false 1 <nil>\ncount "x" nil=false 2 <nil>\n`,
		`(join "" nil=false "" joins "row of the empty key" true\n){4}`,
	}},
	{name: "12-source-table-topic-recreated", matches: []string{
		`"two" joins "new row" true|second run ended true .*tab-`, `"three" joins "" false|second run ended true .*tab-`,
	}},
	{name: "12-source-table-topic-recreated", args: "-keep", matches: []string{
		`"two" joins "new row" true|second run ended true .*tab-`, `"three" joins "" false|second run ended true .*tab-`,
	}},
	{name: "13-changelog-deleted", matches: []string{`second run ended true (<nil>\n1 2 3 4 \n|.*-n-changelog)`}, rejects: []string{`(?m)^1 2 3 1 $`}},
	{name: "13-changelog-deleted", args: "-running", matches: []string{`second run ended true (<nil>\n1 2 3 4 \n|.*-n-changelog)`}, rejects: []string{`(?m)^1 2 3 1 $`}},
	{name: "16-go-type-renamed", matches: []string{`a \{"N":1\}\na \{"N":2\}\na \{"N":3\}\n`}},
	{name: "18-times", matches: []string{
		`zero, -1, year 1, no number ended true <nil> dead letters 3`,
		`two good ones after a restart ended true <nil> dead letters 4`, `/1h0m0s 5 <nil>\n.*/1h0m0s 6 <nil>\n$`,
	}},
	{name: "20-headers", matches: []string{
		`out-\w+: "null"=""\(nil true\) "empty"=""\(nil false\) "twice"="1"\(nil false\) "twice"="2"\(nil false\) ""="no name"\(nil false\)`,
		`pass-\w+: "null"=""\(nil true\) "empty"=""\(nil false\) "twice"="1"\(nil false\) "twice"="2"\(nil false\) ""="no name"\(nil false\)`,
	}},
	{name: "29-empty-store-key", matches: []string{`out key "" nil=false value "\S+1" nil=false\nout key "a" nil=false .*\nout key "b" nil=false`}},
	{name: "29-empty-store-key", args: "-compacted-output", matches: []string{
		`out key "" nil=false value "v" nil=false\nout key "a" nil=false value "v" nil=false\nout key "b" nil=false value "" nil=false\n`,
	}},
}

const (
	// programLimit is how long a program may take; the slowest one waits for up to a minute.
	programLimit = 2 * time.Minute

	// atOnce is how many programs run in parallel; they mostly wait.
	atOnce = 4
)

// names returns the directories of all programs.
func names() (names []string) {
	for _, p := range programs {
		if !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

func TestStreams(t *testing.T) {
	m := copyModule(t, "streams", "")
	m.build(t, names()...)
	brokers := map[string]string{"embedded": ""}
	if kafka := os.Getenv("RIO_KAFKA"); kafka != "" {
		brokers["kafka"] = " -brokers " + kafka
	}
	for on, flags := range brokers {
		t.Run(on, func(t *testing.T) {
			t.Parallel()
			runPrograms(t, m, flags)
		})
	}
}

// result is the output of a program and how long it took.
type result struct {
	out  string
	took time.Duration
}

// runPrograms runs all programs, some in parallel, and checks their output one after the other.
func runPrograms(t *testing.T, m *module, flags string) {
	results := make([]chan result, len(programs))
	places := make(chan struct{}, atOnce)
	for i, p := range programs {
		results[i] = make(chan result, 1)
		if p.long && os.Getenv("RIO_CASES_LONG") == "" {
			continue
		}
		go func() {
			places <- struct{}{}
			began := time.Now()
			out, err := m.output(programLimit, p.name, strings.Fields(p.args+flags)...)
			if err != nil {
				out += "\n" + err.Error() + "\n"
			}
			<-places
			results[i] <- result{out, time.Since(began)}
		}()
	}
	for i, p := range programs {
		t.Run(strings.TrimSpace(p.name+" "+p.args), func(t *testing.T) {
			if p.long {
				long(t)
			}
			r := <-results[i]
			t.Logf("took %.1f s", r.took.Seconds())
			p.check(t, r.out)
		})
	}
}

// check compares the output of a program with the expected one.
func (p *program) check(t *testing.T, out string) {
	t.Helper()
	wrong := false
	for _, want := range p.matches {
		if !regexp.MustCompile(`(?s)` + strings.ReplaceAll(want, `.*`, `[^\n]*`)).MatchString(out) {
			t.Errorf("no match for %s", want)
			wrong = true
		}
	}
	for _, no := range p.rejects {
		if regexp.MustCompile(no).MatchString(out) {
			t.Errorf("unexpected match for %s", no)
			wrong = true
		}
	}
	if wrong {
		t.Logf("%s %s:\n%s", p.name, p.args, out)
	}
}
