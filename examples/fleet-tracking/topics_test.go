package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/examples/fleet-tracking/customers"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/logistics"
	"github.com/rio-streams/rio/examples/fleet-tracking/schema"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// The page and the schema of topics are generated from the topologies, the types of the values, their comments and what is said here.
// The flag -rewrite writes them.
const (
	topicsPage    = "TOPICS.md"
	topicsSchema  = "topics.schema.json"
	topicExamples = "testdata/topics.jsonl" // a record of each topic, of simulated fleets
)

// topic is what a page says of a topic beside what types and topologies say.
type topic struct {
	name   string
	text   string
	key    string // in words
	value  reflect.Type
	writes string   // who writes it, if no application does
	needs  []string // fields that a writer must give, where the type does not say so
}

func topicOf[K, V any](t topology.Topic[K, V], key, text string) topic {
	return topic{name: t.Name(), key: key, text: text, value: reflect.TypeFor[V]()}
}

// input is a topic that others write.
func (t topic) input(writes string, needs ...string) topic {
	t.writes, t.needs = writes, needs
	return t
}

const (
	byVehicle  = "vehicle"
	byDelivery = "delivery"
	byWindow   = "vehicle and window of 5 minutes: the UTF-8 text, then the start of the window in ms since 1970 as 8 bytes big endian"
)

var topicTexts = []topic{
	topicOf(tracking.Positions, byVehicle, "Where vehicles are. A position is the least that a vehicle sends; what else it knows makes more results. "+
		"Positions of a vehicle count in the order in which they come; late ones and repeats are recognised by `instante`. A value that is no JSON goes to "+
		"`localizacao-veiculos-invalidas`; a position that cannot be right is left out and counted in `contas`.").
		input("vehicles, `-http`, `-positions`, the simulation, or your program", "lat", "lon", "instante"),
	topicOf(tracking.Trips, "family of the trip: its id up to the second colon", "The timetable: trips of one family, by the service day from which they hold. The latest value counts.").
		input("`load -gtfs`, `load -deliveries`"),
	topicOf(tracking.Paths, "id of the path: 24 hexadecimal digits of the SHA-256 sum of the value", "Where trips go: line and stops. The latest value counts, and a path is never changed.").
		input("`load -gtfs`, `load -routes`"),
	topicOf(tracking.Assignments, byVehicle, "Who drives a vehicle, and on which trip, if the vehicle does not say so itself. The latest value counts: it holds all drives of the vehicle.").
		input("`load -deliveries -drivers`, or your program"),
	topicOf(tracking.Deliveries, byDelivery, "What customers were promised. The latest value counts; a null value deletes the delivery.").
		input("`load -deliveries`, or your program"),
	topicOf(tracking.DeliveryRecords, byDelivery, "What drivers note: delivered, or failed and why. It overrules what positions tell.").
		input("the app of the drivers: your program, or the simulation"),

	topicOf(tracking.Accounts, byVehicle, "How many rows of a vehicle count, and why others do not. The latest value counts."),
	topicOf(tracking.Speeds, byWindow, "Speeds that a vehicle reported in a window, m/s. The latest value of a window counts."),
	topicOf(tracking.Motions, byWindow, "How a vehicle moved in a window, measured between its positions: the average speed is `metros` over `segundos`. The latest value of a window counts."),
	topicOf(tracking.Deviations, byVehicle, "How far each fix lies from the line of its trip, and the time off the route that it belongs to."),
	topicOf(tracking.Delays, byVehicle, "When a vehicle reached a stop, along the line of its trip: once for each stop."),
	topicOf(tracking.Progress, byVehicle, "How far a vehicle is on its trip, at each fix."),
	topicOf(tracking.Visits, byVehicle, "When a vehicle arrived at a stop or delivery, by halt or radius, and left it. Of the records of a run and stop the last counts."),
	topicOf(tracking.Legs, byVehicle, "The way from one stop to the next of the plan, as it was driven. Of the records of the same leg of a run the last counts."),
	topicOf(tracking.Forecasts, byVehicle, "When a run is expected at each stop ahead, told at each fix."),
	topicOf(tracking.Detours, byVehicle, "A way outside the corridor of the line. Of the records with the same run and `inicio` the last counts."),
	topicOf(tracking.Unused, byVehicle, "Fixes that tell nothing of the stops of a run, and why."),
	{
		name: tracking.Invalid, key: "as received", writes: "`fleet-tracking`, as dead letters",
		text: "Records of `localizacao-veiculos` that are no position, byte for byte. Their headers say why, and where they were.",
	},

	topicOf(logistics.LegHours, "JSON", "Legs from stop to stop by the local hour in which they began, over 28 days. The latest value of a key counts."),
	topicOf(logistics.Dwells, "JSON", "How long vehicles stay at a stop, by local hour, over 28 days. The latest value of a key counts."),
	topicOf(logistics.Detours, "JSON", "Detours of a line that three or more runs made in 14 days. The latest value of a key counts."),
	topicOf(logistics.Timetables, "trip", "The timetable as it is driven, for trips of which enough is known. The latest value counts."),
	topicOf(drivers.Days, "`motorista/DRIVER/DAY` or, without a known driver, `veiculo/VEHICLE/DAY`", "How a driver drove on a local day. Personal data: see package drivers. The latest value counts."),
	topicOf(customers.Statuses, byDelivery, "How a delivery comes along. The latest value counts; null says that it was forgotten."),
	topicOf(customers.Messages, byDelivery, "What to tell customers. A replay writes the same messages with the same ids, so note the ids that you sent."),
}

// keysInJSON are the keys that are JSON.
var keysInJSON = map[string]reflect.Type{
	logistics.LegHours.Name(): reflect.TypeFor[fleet.LegKey](),
	logistics.Dwells.Name():   reflect.TypeFor[fleet.StopKey](),
	logistics.Detours.Name():  reflect.TypeFor[fleet.LineKey](),
}

// glossary says what fields mean whose names say it in Portuguese.
var glossary = map[string]string{
	"aParada": "stop at the end", "aSequencia": "number of that stop in the trip", "atribuicoes": "all drives, in the order of `de`", "cliente": "customer, as the plan names it",
	"ate": "end of that span", "horario": "planned start of the trip, HH:MM:SS, for a trip of frequencies.txt only",
	"media": "average speed", "mediaAndando": "average speed of pairs of at least 1 m/s",
	"daParada": "stop at the start", "daSequencia": "number of that stop in the trip", "data": "service day, YYYYMMDD",
	"destino": "what the vehicle has on its sign", "entrega": "delivery", "fim": "latest fix", "forma": "the line: longitude, latitude (degrees WGS84) and metres from its start; the metres never decrease", "hora": "local hour, 0 to 23",
	"inicio": "first fix", "instante": "time of the fix", "lat": "latitude, degrees WGS84", "linha": "route", "lon": "longitude, degrees WGS84",
	"motorista": "driver", "nome": "name of the stop", "parada": "stop; for a delivery its id", "percursos": "runs", "posicoes": "fixes", "seq": "that of the position",
	"sequencia": "number of the stop in its trip", "trajeto": "path, as in topic `trajetos`", "veiculo": "vehicle", "viagem": "trip",
}

func describer(t *testing.T) schema.Describer {
	t.Helper()
	comments, err := schema.ReadComments("fleet", "conduct", "customers")
	if err != nil {
		t.Fatal(err)
	}
	return schema.Describer{
		Comments: comments,
		Glossary: glossary,
		Own: map[reflect.Type]schema.Value{
			reflect.TypeFor[fleet.Instant](): {Type: "integer", Unit: "ms"},
			reflect.TypeFor[fleet.Length]():  {Type: "number", Unit: "m"},
			reflect.TypeFor[fleet.Span]():    {Type: "number", Unit: "s"},
		},
	}
}

// forms describes the values of all topics, as the program writes them.
func forms(t *testing.T) map[string]schema.Value {
	t.Helper()
	d := describer(t)
	all := map[string]schema.Value{}
	for _, topic := range topicTexts {
		if topic.value == nil {
			continue
		}
		form, err := d.Describe(topic.value)
		if err != nil {
			t.Errorf("topic %s: %v", topic.name, err)
		}
		all[topic.name] = form
	}
	return all
}

// TestTopicsPage fails when the page or the schema is not what types, comments and topologies say.
func TestTopicsPage(t *testing.T) {
	all := forms(t)
	examples := readExamples(t)
	writers, readers := uses(t)
	for name := range maps.Keys(writers) {
		if !slices.ContainsFunc(topicTexts, func(topic topic) bool { return topic.name == name }) {
			t.Errorf("topicTexts lacks topic %s", name)
		}
	}
	for name := range maps.Keys(readers) {
		if _, ok := all[name]; !ok {
			t.Errorf("topicTexts lacks topic %s", name)
		}
	}
	if t.Failed() {
		return
	}

	var page strings.Builder
	page.WriteString(topicsIntroduction)
	for _, topic := range topicTexts {
		fmt.Fprintf(&page, "| [%s](#%[1]s) | %s | %s |\n", topic.name, writtenBy(topic, writers), orNobody(readers[topic.name]))
	}
	definitions := map[string]any{}
	for _, topic := range topicTexts {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\nKey: %s.", topic.name, topic.text, keyOf(t, topic))
		form, ok := all[topic.name]
		if !ok {
			page.WriteString("\n")
			continue
		}
		if topic.needs != nil {
			for i, f := range form.Fields {
				form.Fields[i].Optional = !slices.Contains(topic.needs, f.Name)
			}
		}
		fmt.Fprintf(&page, " Value:\n\n%s", form.Table())
		example, ok := examples[topic.name]
		if !ok {
			t.Errorf("%s has no example of topic %s", topicExamples, topic.name)
		}
		if err := form.Check(example.Value); err != nil {
			t.Errorf("%s: %s: %v", topicExamples, topic.name, err)
		}
		fmt.Fprintf(&page, "\n```\n%s\n%s\n```\n", example.Key, example.Value)
		definition := form.JSON()
		definition["description"] = topic.text
		definitions[topic.name] = definition
	}
	upToDate(t, topicsPage, []byte(page.String()))
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": definitions}); err != nil {
		t.Fatal(err)
	}
	upToDate(t, topicsSchema, text.Bytes())
}

const topicsIntroduction = `<!-- Generated by go test ./examples/fleet-tracking -run TestTopicsPage -rewrite. Do not edit. -->

# Topics of fleet-tracking

For programs in any language that feed fleet-tracking or consume its results. [topics.schema.json](topics.schema.json) says the same as
JSON Schema; the values of a topic are ` + "`#/$defs/TOPIC`" + `.

- Keys are UTF-8 text, values are JSON, unless a topic says otherwise. Unknown fields are ignored, and more may come.
- A field with a ? is left out when it would be 0, empty or false, or is not known.
- Times are whole milliseconds since 1970 UTC, unless a field says otherwise; the time of a record is that of the fix. Lengths are in metres, durations in seconds,
  speeds in m/s. Days are service days as text, YYYYMMDD.
- Records of a key are in one partition, in their order: write with the key, and with the default partitioner of Kafka (murmur2).
- Results are written in transactions: read with ` + "`isolation.level=read_committed`" + `.
- Copies of the applications write the same values to topics with a prefix: -as v2 writes v2-atrasos, a replay replay-atrasos.
- Examples are records of simulated fleets, first the key, then the value; lists of more than three items are cut after the first.

| topic | written by | read by |
| --- | --- | --- |
`

func writtenBy(topic topic, writers map[string][]string) string {
	if topic.writes != "" {
		return topic.writes
	}
	return orNobody(writers[topic.name])
}

func orNobody(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

func keyOf(t *testing.T, topic topic) string {
	of, ok := keysInJSON[topic.name]
	if !ok {
		return topic.key
	}
	form, err := describer(t).Describe(of)
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range form.Fields {
		fields = append(fields, fmt.Sprintf("`%s` (%s)", f.Name, f.Text))
	}
	return "JSON with " + strings.Join(fields, ", ")
}

// uses returns which applications write and read each topic that is not their own.
func uses(t *testing.T) (writers, readers map[string][]string) {
	t.Helper()
	writers, readers = map[string][]string{}, map[string][]string{}
	add := func(top *topology.Topology, err error) {
		if err != nil {
			t.Fatal(err)
		}
		read := map[string]bool{}
		for _, sub := range top.Plan().Subtopologies {
			for _, source := range sub.Sources {
				read[source.Reads.Name] = true
			}
		}
		for name, topic := range top.Plan().Topics {
			if topic.Internal {
				continue
			}
			if topic.Written {
				writers[name] = append(writers[name], "`"+top.Name()+"`")
			}
			if read[name] {
				readers[name] = append(readers[name], "`"+top.Name()+"`")
			}
		}
	}
	add(tracking.New(tracking.Config{}))
	for _, c := range consumers(drivers.Config{}) {
		add(c.new())
	}
	return writers, readers
}

// TestWhatPositionsNeed checks what the page says that a position must have: with that it is a fix, and without any of it, it is none.
func TestWhatPositionsNeed(t *testing.T) {
	fault := func(value map[string]any) fleet.Reason {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		p, err := tracking.Positions.ValueCodec().Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		p.Vehicle = "the key"
		return p.Fault()
	}
	whole := map[string]any{"lat": -10.95, "lon": -37.05, "instante": 1768561200000}
	if got := fault(whole); got != "" {
		t.Errorf("%v is left out: %s", whole, got)
	}
	needs := topicTexts[0].needs
	if len(needs) != len(whole) {
		t.Errorf("the page says that a position needs %q", needs)
	}
	for _, name := range needs {
		part := maps.Clone(whole)
		delete(part, name)
		if fault(part) == "" {
			t.Errorf("%v is a fix without %s", part, name)
		}
	}
}

func rewriting() bool { return flag.Lookup("rewrite").Value.String() == "true" }

// upToDate checks a generated file, or writes it.
func upToDate(t *testing.T, name string, want []byte) {
	t.Helper()
	if rewriting() {
		if err := os.WriteFile(name, want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is stale (%v): go test ./examples/fleet-tracking -run TestTopicsPage -rewrite", name, err)
	}
}

// topicExample is a line of the file of examples.
type topicExample struct {
	Topic string          `json:"topic"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

func readExamples(t *testing.T) map[string]topicExample {
	t.Helper()
	examples := map[string]topicExample{}
	text, err := os.ReadFile(topicExamples)
	if err != nil && !rewriting() {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var e topicExample
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		examples[e.Topic] = e
	}
	return examples
}

// checkTopics checks that the records of a log, up to a thousand of each partition, have the form that the page describes. With -rewrite it
// takes examples from them.
func checkTopics(t *testing.T, log string, least int) {
	t.Helper()
	b, err := broker.Start(broker.Config{DataDir: filepath.Join(log, "log")})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	best := map[string]topicExample{}
	r := newReader(client, "")
	for name, form := range forms(t) {
		seen := 0
		r.takes[name] = func(record kafka.Record) error {
			if seen++; seen > 4000 || record.Value == nil {
				return nil
			}
			if err := form.Check(record.Value); err != nil {
				t.Errorf("%s at %d: %v\n%s", name, record.Offset, err, record.Value)
			}
			if old, ok := best[name]; !ok || bytes.Count(record.Value, []byte(`":`)) > bytes.Count(old.Value, []byte(`":`)) {
				best[name] = topicExample{name, shownKey(name, record.Key), slices.Clone(record.Value)}
			}
			return nil
		}
	}
	if err := r.toEnd(t.Context(), kafka.Earliest); err != nil {
		t.Fatal(err)
	}
	if len(best) < least {
		t.Errorf("the log has records of %d topics, want %d", len(best), least)
	}
	if rewriting() {
		writeExamples(t, best)
	}
}

func shownKey(topic string, key []byte) string {
	if topic == tracking.Speeds.Name() || topic == tracking.Motions.Name() {
		if w, err := tracking.Motions.KeyCodec().Decode(key); err == nil {
			return w.Key + " " + w.Start.UTC().Format(time.RFC3339)
		}
	}
	return string(key)
}

// writeExamples replaces the examples of the topics that have new ones.
func writeExamples(t *testing.T, found map[string]topicExample) {
	t.Helper()
	examples := readExamples(t)
	for name, e := range found {
		short, err := cutLists(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		e.Value = short
		examples[name] = e
	}
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		line, err := json.Marshal(examples[name])
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	if err := os.WriteFile(topicExamples, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// cutLists cuts arrays of more than three items, after the first.
func cutLists(value json.RawMessage) (json.RawMessage, error) {
	switch value[0] {
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(value, &items); err != nil {
			return nil, err
		}
		if len(items) > 3 {
			items = items[:1]
		}
		for i := range items {
			var err error
			if items[i], err = cutLists(items[i]); err != nil {
				return nil, err
			}
		}
		return json.Marshal(items)
	case '{':
		decoder := json.NewDecoder(bytes.NewReader(value))
		out := json.RawMessage{'{'}
		for _, err := decoder.Token(); decoder.More(); {
			if err != nil {
				return nil, err
			}
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			var inside json.RawMessage
			if err := decoder.Decode(&inside); err != nil {
				return nil, err
			}
			if inside, err = cutLists(inside); err != nil {
				return nil, err
			}
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(fmt.Appendf(out, "%q:", name), inside...)
		}
		return append(out, '}'), nil
	}
	return value, nil
}
