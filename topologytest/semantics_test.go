package topologytest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// intendedDifferences maps the cases with intended differences to Kafka Streams to their reasons.
var intendedDifferences = map[string]string{
	"KStreamKStreamLeftJoinTest.testLeftJoinWithSpuriousResultFixDisabledOldApi": "JoinWindows.of, which Kafka Streams 4 has removed, emitted unmatched records before their interval had ended",
}

// wantSemantics lists the kinds of cases that the suite does not run completely, with the reason. All others run.
const wantSemantics = `
join                             cases  run  in part  differ
stream-stream left               11     10   0        1
window                           cases  run  in part  differ
windowed_aggregation hopping     13     12   0        1
windowed_aggregation sliding     24     23   0        1
`

// TestSemantics runs the cases derived from the tests of Kafka Streams. The files
// are not part of the repository.
//
// Proves: kafka-streams-semantics
func TestSemantics(t *testing.T) {
	dir := semanticsDir()
	if dir == "" {
		t.Skip("skipped: set RIO_SEMANTICS to the directory of join.json and window.json")
	}
	var summary strings.Builder
	notRun := 0 // with go test -run
	for _, file := range []string{"join", "window"} {
		cases := readCases(t, filepath.Join(dir, file+".json"))
		notRun += len(cases)
		tallies := map[string]*tally{}
		for _, c := range cases {
			kind := c.kind()
			if tallies[kind] == nil {
				tallies[kind] = &tally{kind: kind}
			}
			t.Run(file+"/"+kind+"/"+c.Name, func(t *testing.T) {
				notRun--
				c.test(t, tallies[kind])
			})
		}
		summarize(&summary, file, tallies)
	}
	t.Log("\n" + summary.String())
	if got, want := squeeze(summary.String()), squeeze(wantSemantics); notRun == 0 && got != want {
		t.Errorf("the cases that run have changed: update wantSemantics\n%s", summary.String())
	}
}

func semanticsDir() string {
	dir, ok := os.LookupEnv("RIO_SEMANTICS")
	if ok {
		return dir
	}
	here, err := os.Getwd()
	for ; err == nil && here != filepath.Dir(here); here = filepath.Dir(here) {
		dir := filepath.Join(here, "shared", "semantics")
		if _, err := os.Stat(filepath.Join(dir, "join.json")); err == nil {
			return dir
		}
	}
	return ""
}

// tally counts the outcomes of the cases of one kind.
type tally struct {
	kind                     string
	cases, run, part, differ int
}

func summarize(out *strings.Builder, title string, tallies map[string]*tally) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tcases\trun\tin part\tdiffer\n", title)
	sorted := []*tally{}
	for _, c := range tallies {
		if c.run < c.cases {
			sorted = append(sorted, c)
		}
	}
	slices.SortFunc(sorted, func(a, b *tally) int { return cmp.Compare(a.kind, b.kind) })
	for _, c := range sorted {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", c.kind, c.cases, c.run, c.part, c.differ)
	}
	w.Flush()
}

// squeeze removes the padding of tables, so that they can be compared.
func squeeze(table string) string {
	var lines []string
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 0 {
			lines = append(lines, strings.Join(fields, " "))
		}
	}
	return strings.Join(lines, "\n")
}

// semanticsCase is a case in the format of the files.
type semanticsCase struct {
	Name        string
	Join        string // of join.json
	Kind        string // of window.json
	Joiner      string
	Topology    string
	Aggregation string
	Emit        string
	Suppress    any
	Before      int64           `json:"window_before_ms"` // of a join
	After       int64           `json:"window_after_ms"`
	Grace       *int64          `json:"grace_ms"`
	LeftStore   *semanticsStore `json:"left_store"`
	RightStore  *semanticsStore `json:"right_store"`
	Window      struct {
		Type    string
		Size    int64 `json:"size_ms"`
		Advance int64 `json:"advance_ms"`
		Gap     int64 `json:"gap_ms"`
		Apart   int64 `json:"time_difference_ms"` // of sliding windows
		Grace   int64 `json:"grace_ms"`

		Start, End int64 // of a window_overlap
	}
	Inputs      []semanticsInput
	UnorderedAt []int `json:"unordered_at"`

	Expected  [][]semanticsRow            `json:"expected_after_each"`
	ByOutput  map[string][][]semanticsRow `json:"expected_after_each_by_output"`
	Model     [][]semanticsRow            `json:"model_after_each"`
	Dropped   []int                       `json:"dropped_input_indexes"`
	RecordsAt int64                       `json:"record_ts"`
	Windows   [][2]int64
	Caching   string                    // "enabled: …": the last change of each session is emitted at the end
	Final     []semanticsRow            `json:"final_sessions"`              // the rows of the store
	Rows      [][]semanticsRow          `json:"sessions_after_each"`         // of the store
	PerStart  map[string][]semanticsRow `json:"expected_per_window_start"`   // in any order
	Last      json.RawMessage           `json:"expected_last_value_per_key"` // of windows
	Overlaps  [][2]int64
	Apart     [][2]int64 `json:"does_not_overlap"`

	config topologytest.Config // of this run
}

type semanticsInput struct {
	Side       string
	Key, Value any
	Time       *int64 `json:"ts"`
	WallClock  *int64 `json:"set_wall_clock_ms"`
	Random     bool   `json:"ts_random_in_source"`
}

// semanticsRow is an expected record. Missing fields are not checked.
type semanticsRow struct {
	Key, Value any
	Window     *[2]int64
	Time       *int64 `json:"ts"`
}

func readCases(t *testing.T, path string) []semanticsCase {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []semanticsCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// kind returns the kind of a case, by which the table groups.
func (c *semanticsCase) kind() string {
	switch {
	case strings.Contains(c.Join, "foreign-key"):
		return strings.TrimPrefix(c.Join, "table-table ")
	case strings.Contains(c.Join, " then "):
		first, _, _ := strings.Cut(c.Join, " ")
		return first + " chain"
	case strings.HasPrefix(c.Join, "none"):
		return "repartition"
	case c.Join != "":
		return c.Join
	}
	return strings.TrimSpace(c.Kind + " " + c.Window.Type)
}

func (c *semanticsCase) test(t *testing.T, count *tally) {
	count.cases++
	if c.Kind == "window_overlap" {
		if c.Window.Type == "session" {
			c.testOverlaps(t)
		} else {
			c.testTimeOverlaps(t)
		}
		count.run++
		return
	}
	if c.Kind == "suppress" {
		c.testSuppress(t)
		count.run++
		return
	}
	if reason, ok := emitsMore[c.Name]; ok {
		count.differ++
		c.testEmitsMore(t)
		t.Log("intended difference: " + reason)
		return
	}
	if reason, ok := intendedDifferences[c.Name]; ok {
		count.differ++
		t.Skip("intended difference: " + reason)
	}
	for _, happens := range []struct {
		name string
		what func(*topologytest.Driver) error
	}{
		{"", func(*topologytest.Driver) error { return nil }},
		{"crashes", (*topologytest.Driver).Crash},
		{"restarts", (*topologytest.Driver).Restart},
	} {
		for _, c.config = range c.configs(t, happens.name) {
			c.compare(t, c.run(t, happens.what))
			if t.Failed() {
				t.Fatalf("with %s, %d partitions", cmp.Or(happens.name, "no failures"), max(c.config.Partitions, 1))
			}
		}
	}
	count.run++
}

var (
	semanticsOut = topology.NewTopic("out", codec.String, codec.String)
	separator    = regexp.MustCompile(`[lv]\w* ?\+ "(.)" ?\+ ?[rv]`)
)

// build returns the topology of a case. It writes to the topic "out", or to the outputs that the case names.
func (c *semanticsCase) build(t *testing.T) *topology.Topology {
	t.Helper()
	b := topology.NewBuilder("semantics")
	if c.Join != "" {
		c.buildJoin(t, b)
	} else {
		c.buildAggregation(b)
	}
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func (c *semanticsCase) buildJoin(t *testing.T, b *topology.Builder) {
	t.Helper()
	if strings.HasPrefix(c.Join, "stream-table") && strings.Contains(c.Topology, "(key,lv,rv)") {
		c.joinWithKey(topology.From(b, textTopic("left")), topology.TableFrom(b, textTopic("right")))
		return
	}
	if strings.HasPrefix(c.Join, "stream-stream") && strings.Contains(c.Topology, "(key,lv,rv)") {
		c.joinStreamsWithKey(topology.From(b, textTopic("left")), topology.From(b, textTopic("right")))
		return
	}
	if strings.HasPrefix(c.Join, "stream-global") {
		c.joinGlobal(b)
		return
	}
	if strings.HasPrefix(c.Join, "none") {
		topology.Repartition(topology.Repartition(topology.From(b, textTopic("left")), "once"), "twice").To(semanticsOut)
		return
	}
	found := separator.FindStringSubmatch(c.Topology)
	if found == nil {
		t.Fatalf("no separator in %s", c.Topology)
	}
	if strings.HasPrefix(c.Join, "stream-stream") {
		c.joinStreams(b, found[1])
		return
	}
	if strings.Contains(c.Join, "foreign-key") {
		c.joinByForeignKey(t, b)
		return
	}
	if strings.HasPrefix(c.Join, "table-table") {
		left, right := semanticsTable(b, textTopic("left"), c.LeftStore), semanticsTable(b, textTopic("right"), c.RightStore)
		for join := range strings.SplitSeq(c.Join, " then ") {
			left = joinTables(left, right, strings.TrimPrefix(join, "table-table "), found[1])
		}
		left.To(semanticsOut)
		return
	}
	stream, table := topology.From(b, textTopic("left")), semanticsTable(b, textTopic("right"), c.RightStore)
	if c.Grace != nil {
		stream = topology.Reorder(stream, "joined", milliseconds(*c.Grace))
	}
	if strings.HasSuffix(c.Join, "left") {
		topology.LeftJoin(stream, table, func(l, r string, ok bool) string {
			if !ok {
				r = "null"
			}
			return l + found[1] + r
		}).To(semanticsOut)
		return
	}
	topology.Join(stream, table, func(l, r string) string { return l + found[1] + r }).To(semanticsOut)
}

// joinWithKey joins a stream with a table of numbers by a function that sees the key.
func (c *semanticsCase) joinWithKey(stream *topology.Stream[string, string], table *topology.Table[string, string]) {
	if strings.HasSuffix(c.Join, "left") {
		topology.LeftJoin(topology.Records(stream), table, keyAndSum).To(semanticsOut)
		return
	}
	topology.Join(topology.Records(stream), table, func(l processor.Record[string, string], r string) string {
		return keyAndSum(l, r, true)
	}).To(semanticsOut)
}

// interval returns the window of a stream-stream join.
func (c *semanticsCase) interval() topology.Interval {
	return topology.Within(0).Before(milliseconds(c.Before)).After(milliseconds(c.After)).Grace(milliseconds(*c.Grace))
}

// joinStreams joins two streams as the Java tests do. Where those repartition, the streams do.
func (c *semanticsCase) joinStreams(b *topology.Builder, separator string) {
	stream := func(side string) *topology.Stream[string, string] {
		s := topology.From(b, textTopic(side))
		if strings.Contains(c.Topology, "repartition()") || strings.Contains(c.Topology, "map(identity)") {
			s = topology.Repartition(s, side+"-again")
		}
		return s
	}
	left, right := stream("left"), (*topology.Stream[string, string])(nil)
	if strings.Contains(c.Topology, "stream(right)") {
		right = stream("right")
	} else {
		right = left
	}
	for i, kind := range strings.Split(c.Join, " then ") {
		name := fmt.Sprint("joined-", i+1)
		switch strings.TrimPrefix(kind, "stream-stream ") {
		case "inner":
			left = topology.JoinStreams(left, right, name, c.interval(), func(l, r string) string { return l + separator + r })
		case "left":
			left = topology.LeftJoinStreams(left, right, name, c.interval(), func(l, r string, ok bool) string { return l + separator + textOr(r, ok) })
		default:
			left = topology.OuterJoinStreams(left, right, name, c.interval(), func(l string, hasL bool, r string, hasR bool) string {
				return textOr(l, hasL) + separator + textOr(r, hasR)
			})
		}
	}
	left.To(semanticsOut)
}

// joinStreamsWithKey joins two streams of numbers by a function that sees the key.
func (c *semanticsCase) joinStreamsWithKey(left, right *topology.Stream[string, string]) {
	topology.LeftJoinStreams(topology.Records(left), right, "joined", c.interval(), keyAndSum).To(semanticsOut)
}

// keyAndSum returns the key and the sum of both sides, where a missing one is 0.
func keyAndSum(l processor.Record[string, string], r string, _ bool) string {
	a, _ := strconv.Atoi(l.Value)
	b, _ := strconv.Atoi(cmp.Or(r, "0"))
	return l.Key + ":" + strconv.Itoa(a+b)
}

// textOr returns the text of a side, where a missing one is "null".
func textOr(v string, ok bool) string {
	if !ok {
		return "null"
	}
	return v
}

// joinTables joins two tables as the Java tests do: the results are the texts of both sides, where a missing one is
// "null", around the separator.
func joinTables(left, right *topology.Table[string, string], kind, separator string) *topology.Table[string, string] {
	switch kind {
	case "inner":
		return topology.JoinTables(left, right, func(l, r string) string { return l + separator + r })
	case "left":
		return topology.LeftJoinTables(left, right, func(l, r string, ok bool) string { return l + separator + textOr(r, ok) })
	}
	return topology.OuterJoinTables(left, right, func(l string, hasL bool, r string, hasR bool) string {
		return textOr(l, hasL) + separator + textOr(r, hasR)
	})
}

// buildAggregation aggregates each input separately, or all inputs together if the case is a cogroup.
func (c *semanticsCase) buildAggregation(b *topology.Builder) {
	windows := c.windows()
	switch {
	case strings.Contains(c.Topology, "cogroup"):
		c.cogroup(b)
	case c.ByOutput["table1"] != nil:
		tables := make([]*topology.Table[codec.WindowKey[string], string], 2)
		for i, side := range c.sides() {
			tables[i] = c.aggregate(topology.Window(withSign(topology.From(b, textTopic(side)), "+"), windows), fmt.Sprint("table", i+1))
		}
		topology.JoinTables(tables[0], tables[1], func(l, r string) string { return l + "%" + r }).To(c.windowed("joined"))
	case c.ByOutput["output-raw"] != nil:
		raw := c.aggregate(topology.Window(topology.From(b, textTopic(c.sides()[0])), windows), "output-raw")
		topology.Suppress(raw, "suppressed", c.suppression()).To(c.windowed("output-suppressed"))
	default:
		c.aggregate(topology.Window(withSign(topology.From(b, textTopic(c.sides()[0])), "+"), windows), "out")
	}
}

// windows returns the windows of a case.
func (c *semanticsCase) windows() topology.Windows {
	grace := milliseconds(c.Window.Grace)
	switch c.Window.Type {
	case "session":
		return topology.Sessions(milliseconds(c.Window.Gap)).Grace(grace)
	case "sliding":
		return topology.Sliding(milliseconds(c.Window.Apart)).Grace(grace)
	}
	return topology.Hopping(milliseconds(c.Window.Size), milliseconds(c.Window.Advance)).Grace(grace)
}

// aggregate aggregates as the Java tests do: "0+a+b", "a+b" or a count.
func (c *semanticsCase) aggregate(s *topology.Stream[codec.WindowKey[string], string], name string) *topology.Table[codec.WindowKey[string], string] {
	var table *topology.Table[codec.WindowKey[string], string]
	switch {
	case strings.Contains(c.Topology, "count("), strings.HasPrefix(c.Aggregation, "count"):
		table = topology.MapTable(topology.Count(s, "count-"+name), func(n int64) string { return strconv.FormatInt(n, 10) })
	case strings.Contains(c.Topology, "reduce("):
		values := topology.Map(s, func(v string) string { return v[1:] })
		table = topology.Reduce(values, "reduce-"+name, func(a, b string) string { return a + "+" + b })
	case strings.Contains(c.Topology, "Arrays.sort"):
		table = topology.Aggregate(s, "sorted-"+name, func(sum, v string) string { return sortedLetters(sum + v[1:]) })
	default:
		table = topology.Aggregate(s, "aggregate-"+name, func(sum, v string) string { return cmp.Or(sum, "0") + v })
		if c.Window.Type == "session" {
			table.Initially(func() string { return "0" }).Merging(func(a, b string) string { return a + "+" + b })
		}
	}
	return c.emit(table, name)
}

// windowed returns a topic of windowed keys.
func (c *semanticsCase) windowed(name string) topology.Topic[codec.WindowKey[string], string] {
	return topology.NewTopic(name, topology.WindowCodec(c.windows(), codec.String), codec.String)
}

func withSign(s *topology.Stream[string, string], sign string) *topology.Stream[string, string] {
	return topology.Map(s, func(v string) string { return sign + v })
}

func textTopic(name string) topology.Topic[string, string] {
	return topology.NewTopic(name, codec.String, codec.String)
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// sides returns the inputs in the order of their first records.
func (c *semanticsCase) sides() []string {
	if len(c.Inputs) == 0 {
		return []string{"input"}
	}
	var sides []string
	for _, in := range c.Inputs {
		if in.Side != "" && !slices.Contains(sides, in.Side) {
			sides = append(sides, in.Side)
		}
	}
	return sides
}

// emitted contains the records emitted after each input, by output.
type emitted map[string][][]semanticsRow

// run sends the inputs one by one, with an action such as a restart after each.
func (c *semanticsCase) run(t *testing.T, happens func(*topologytest.Driver) error) emitted {
	t.Helper()
	d, err := topologytest.New(c.build(t), c.config)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	inputs := c.Inputs
	if c.Kind == "window_assignment" {
		inputs = []semanticsInput{{Side: "input", Key: "k", Value: "v", Time: &c.RecordsAt}}
	}
	got := emitted{}
	var now int64
	for i, in := range inputs {
		seen := len(d.Outputs())
		if in.WallClock == nil {
			switch {
			case in.Time != nil:
				now = max(now, *in.Time)
			case in.Random:
				in.Time = new(int64(i * 7919 % 10)) // an arbitrary value: the result must not depend on it
			default:
				in.Time = &now
			}
			r := processor.Record[string, string]{
				Key: text(in.Key), NoKey: in.Key == nil, Value: text(in.Value), Tombstone: in.Value == nil, Timestamp: *in.Time,
			}
			if err := topologytest.Send(d, textTopic(in.Side), r); err != nil {
				t.Fatal(err)
			}
		}
		for output := range c.outputs() {
			got[output] = append(got[output], nil)
		}
		for _, o := range d.Outputs()[seen:] {
			if rows := got[o.Topic]; rows != nil {
				rows[i] = append(rows[i], c.row(t, o))
			}
		}
		if err := happens(d); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// outputs returns the expected records, by output.
func (c *semanticsCase) outputs() map[string][][]semanticsRow {
	if c.ByOutput == nil {
		return map[string][][]semanticsRow{"out": c.Expected}
	}
	return c.ByOutput
}

// row is a record in the format of the files.
func (c *semanticsCase) row(t *testing.T, o topologytest.Output) semanticsRow {
	t.Helper()
	row := semanticsRow{Time: &o.Timestamp}
	if o.Value != nil {
		row.Value = string(o.Value)
	}
	switch {
	case o.Key == nil:
	case c.Join != "":
		row.Key = string(o.Key)
	default:
		key, err := topology.WindowCodec(c.windows(), codec.String).Decode(o.Key)
		if err != nil {
			t.Fatal(err)
		}
		row.Key = key.Key
		row.Window = &[2]int64{key.Start.UnixMilli(), key.End.UnixMilli()}
	}
	return row
}

// compare compares the emitted records with the expected ones.
func (c *semanticsCase) compare(t *testing.T, got emitted) {
	t.Helper()
	switch c.Kind {
	case "window_assignment":
		var windows [][2]int64
		for _, row := range got["out"][0] {
			windows = append(windows, *row.Window)
		}
		if !slices.Equal(windows, c.Windows) {
			t.Errorf("a record at %d is in %v, want %v", c.RecordsAt, windows, c.Windows)
		}
		return
	case "late_record_drop":
		for i, rows := range got["out"] {
			if dropped := len(rows) == 0; dropped != slices.Contains(c.Dropped, i) {
				t.Errorf("after input %d: %s; want it dropped: %v", i, show(rows), !dropped)
			}
		}
		return
	}
	if c.Last != nil && c.Join != "" {
		c.compareLast(t, got["out"])
		return
	}
	if c.PerStart != nil {
		c.compareStarts(t, slices.Concat(got["out"]...))
		return
	}
	if c.Last != nil && c.Window.Type != "" {
		if err := json.Unmarshal(c.Last, &c.Final); err != nil {
			t.Fatal(err)
		}
	}
	if c.Final != nil || c.Rows != nil {
		c.compareTable(t, got["out"])
		return
	}
	for output, expected := range c.outputs() {
		if strings.HasPrefix(c.Caching, "enabled") {
			last := len(expected) - 1
			got, want := lastPerKey(slices.Concat(got[output]...)), lastPerKey(expected[last])
			got = slices.DeleteFunc(got, func(row semanticsRow) bool { return row.Value == nil })
			if !slices.EqualFunc(got, want, semanticsRow.meets) {
				t.Errorf("got  %s\nwant %s", show(got), show(want))
			}
			continue
		}
		if len(expected) != len(c.Inputs) {
			t.Fatalf("%s: %d inputs, %d expectations", output, len(c.Inputs), len(expected))
		}
		c.compareRows(t, output, got[output], expected)
	}
	if c.Model != nil {
		c.compareRows(t, "out, as the model splits it", got["out"], c.model())
	}
}

// model returns what the model expects. Its times count only where the case gives those of the inputs.
func (c *semanticsCase) model() [][]semanticsRow {
	if !slices.ContainsFunc(c.Inputs, func(in semanticsInput) bool { return in.Time == nil }) {
		return c.Model
	}
	expected := make([][]semanticsRow, len(c.Model))
	for i, rows := range c.Model {
		for _, row := range rows {
			row.Time = nil
			expected[i] = append(expected[i], row)
		}
		if rows != nil && expected[i] == nil {
			expected[i] = []semanticsRow{}
		}
	}
	return expected
}

// compareRows compares the records emitted up to the next expectation that is not null.
func (c *semanticsCase) compareRows(t *testing.T, output string, got, expected [][]semanticsRow) {
	t.Helper()
	var pending []semanticsRow
	for i, want := range expected {
		pending = append(pending, got[i]...)
		if want == nil {
			continue
		}
		rows := pending
		if slices.Contains(c.UnorderedAt, i) {
			rows, want = lastPerKey(rows), lastPerKey(want)
		}
		if c.Window.Type == "sliding" {
			rows, want = sortedByWindow(rows, want)
		}
		if !slices.EqualFunc(rows, want, semanticsRow.meets) {
			t.Errorf("%s, after input %d:\ngot  %s\nwant %s", output, i, show(rows), show(want))
		}
		pending = nil
	}
}

// compareTable compares the rows that the table has at the end, or after each input.
func (c *semanticsCase) compareTable(t *testing.T, got [][]semanticsRow) {
	t.Helper()
	rows := c.Rows
	if rows == nil {
		got, rows = [][]semanticsRow{slices.Concat(got...)}, [][]semanticsRow{c.Final}
	}
	for i, want := range rows {
		table := lastPerKey(slices.Concat(got[:i+1]...))
		table = slices.DeleteFunc(table, func(row semanticsRow) bool { return row.Value == nil })
		want = lastPerKey(want)
		if !slices.EqualFunc(table, want, semanticsRow.meets) {
			t.Errorf("after input %d, the rows are\n%s\nwant\n%s", i, show(table), show(want))
		}
	}
}

// compareStarts compares the rows of windows by their starts.
func (c *semanticsCase) compareStarts(t *testing.T, got []semanticsRow) {
	t.Helper()
	byStart := map[string][]semanticsRow{}
	for _, row := range got {
		start := strconv.FormatInt(row.Window[0], 10)
		byStart[start] = append(byStart[start], row)
	}
	byValue := func(a, b semanticsRow) int {
		return cmp.Or(cmp.Compare(text(a.Value), text(b.Value)), cmp.Compare(*a.Time, *b.Time))
	}
	for start, want := range c.PerStart {
		got := byStart[start]
		slices.SortFunc(got, byValue)
		slices.SortFunc(want, byValue)
		if !slices.EqualFunc(got, want, func(got, want semanticsRow) bool { return got.Value == want.Value && *got.Time == *want.Time }) {
			t.Errorf("windows that start at %s:\ngot  %s\nwant %s", start, show(got), show(want))
		}
	}
	if len(byStart) != len(c.PerStart) {
		t.Errorf("windows start at %v, want %v", slices.Sorted(maps.Keys(byStart)), slices.Sorted(maps.Keys(c.PerStart)))
	}
}

// testOverlaps lets a record meet the session of the case. The times are multiplied by four, so that an interval is that
// between a time minus and plus a gap, and a gap is never zero.
func (c *semanticsCase) testOverlaps(t *testing.T) {
	t.Helper()
	meets := func(other [2]int64) bool {
		with := *c
		with.Window.Gap, with.Window.Grace = 2*(other[1]-other[0])+1, math.MaxInt32
		for at := 4 * c.Window.Start; at <= 4*c.Window.End; at++ {
			with.Inputs = append(with.Inputs, semanticsInput{Side: "input", Key: "k", Value: "v", Time: &at})
		}
		with.Inputs = append(with.Inputs, semanticsInput{Side: "input", Key: "k", Value: "v", Time: new(2 * (other[0] + other[1]))})
		got := with.run(t, func(*topologytest.Driver) error { return nil })["out"]
		merged := got[len(got)-1][0] // the session of the last record, or the old one, which is deleted
		return merged.Value == nil && *merged.Window == [2]int64{4 * c.Window.Start, 4 * c.Window.End}
	}
	for _, other := range c.Overlaps {
		if !meets(other) {
			t.Errorf("%v does not overlap", other)
		}
	}
	for _, other := range c.Apart {
		if meets(other) {
			t.Errorf("%v overlaps", other)
		}
	}
}

// sortedByWindow sorts rows by window, as the Java tests of sliding windows do, if the expected rows have windows. The
// order of the rows of one window stays.
func sortedByWindow(got, want []semanticsRow) (sortedGot, sortedWant []semanticsRow) {
	name := func(row semanticsRow) string {
		if row.Window == nil {
			return text(row.Key)
		}
		return fmt.Sprintf("[%s@%d/%d]", text(row.Key), row.Window[0], row.Window[1])
	}
	for _, row := range want {
		if !strings.HasPrefix(name(row), "[") {
			return got, want
		}
	}
	byName := func(a, b semanticsRow) int { return cmp.Compare(name(a), name(b)) }
	sortedGot, sortedWant = slices.Clone(got), slices.Clone(want)
	slices.SortStableFunc(sortedGot, byName)
	slices.SortStableFunc(sortedWant, byName)
	return sortedGot, sortedWant
}

// lastPerKey returns the last row of each key and window.
func lastPerKey(rows []semanticsRow) []semanticsRow {
	id := func(row semanticsRow) string {
		if row.Window == nil {
			return text(row.Key)
		}
		return fmt.Sprintf("%s %020d %020d", text(row.Key), row.Window[0], row.Window[1])
	}
	last := map[string]semanticsRow{}
	for _, row := range rows {
		last[id(row)] = row
	}
	var sorted []semanticsRow
	for _, row := range last {
		sorted = append(sorted, row)
	}
	slices.SortFunc(sorted, func(a, b semanticsRow) int { return cmp.Compare(id(a), id(b)) })
	return sorted
}

// meets reports whether a record has all expected properties.
func (row semanticsRow) meets(want semanticsRow) bool {
	key, value := text(want.Key), want.Value
	if pair, ok := value.(map[string]any); ok { // old value of a change; for updates, Java sends none
		value = pair["new"]
	}
	if strings.HasPrefix(key, "[") && row.Window != nil { // Java's text for a windowed key
		return key == fmt.Sprintf("[%s@%d/%d]", text(row.Key), row.Window[0], row.Window[1]) && row.meets(semanticsRow{row.Key, value, nil, want.Time})
	}
	return text(row.Key) == key && (row.Key == nil) == (want.Key == nil) &&
		text(row.Value) == text(value) && (row.Value == nil) == (value == nil) &&
		(want.Window == nil || row.Window != nil && *row.Window == *want.Window) &&
		(want.Time == nil || *row.Time == *want.Time)
}

// text returns a JSON value as text; numbers in the files are integers.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatInt(int64(v), 10)
	default:
		return fmt.Sprint(v)
	}
}

func show(rows []semanticsRow) string {
	data, err := json.Marshal(rows)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
