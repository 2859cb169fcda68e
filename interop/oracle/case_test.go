package oracle

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rio-streams/rio/processor"
)

// testCase is a topology and its input. The Java program reads it as a line of JSON.
type testCase struct {
	Steps  []step  `json:"steps"`
	Inputs []input `json:"inputs"`

	// Event is what Rio goes through after every third input: nothing, a crash or a restart.
	Event string `json:"event,omitempty"`

	// RocksDB says that Kafka Streams keeps all rows in RocksDB, not only those of windows.
	RocksDB bool `json:"rocksDB,omitempty"`
}

// step is a step of a topology. All values are strings.
type step struct {
	Op   string `json:"op"`
	In   []int  `json:"in,omitempty"`   // indexes of the steps before it
	Name string `json:"name,omitempty"` // of a topic, a store or a repartition

	// Text is what a filter looks for, what a map appends, or the first value of an aggregate.
	Text string `json:"text,omitempty"`

	// Delete is the text whose appearance deletes the row of an aggregate.
	Delete string `json:"delete,omitempty"`

	Windows   *windows  `json:"windows,omitempty"`   // of an aggregate
	Retention int64     `json:"retention,omitempty"` // of its windows, in ms
	Final     bool      `json:"final,omitempty"`     // whether each window leaves once, when it closes
	Interval  *interval `json:"interval,omitempty"`  // of a join of streams

	History int64 `json:"history,omitempty"` // of a versioned table, in ms
	Hold    int64 `json:"hold,omitempty"`    // how long a join with one holds its records back, in ms

	Stored string `json:"stored,omitempty"` // the store of a foreign-key join

	// CountNulls says that null values are values for a windowed aggregate, as in Kafka Streams.
	CountNulls bool `json:"countNulls,omitempty"`
}

// windows are windows of time. Durations are in ms.
type windows struct {
	Kind    string `json:"kind"` // tumbling, hopping, sliding, sessions or unlimited
	Size    int64  `json:"size"` // the gap of sessions, the start of unlimited windows
	Advance int64  `json:"advance,omitempty"`
	Grace   int64  `json:"grace,omitempty"`
}

// interval is that of a join of streams, in ms.
type interval struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	Grace  int64 `json:"grace"`
}

// input is an input record. A nil key or value is null.
type input struct {
	Topic   string   `json:"topic"`
	Key     *string  `json:"key"`
	Value   *string  `json:"value"`
	At      int64    `json:"at"`
	Headers []header `json:"headers,omitempty"`
}

type header struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// output is a record in an output topic, encoded.
type output struct {
	Topic   string   `json:"topic"`
	Key     []byte   `json:"key"`
	Value   []byte   `json:"value"`
	At      int64    `json:"at"`
	Headers []header `json:"headers"`
}

// answer is what the Java program answers to a case.
type answer struct {
	Outputs [][]output `json:"outputs"` // after each input, by the order of the sinks
	Error   string     `json:"error"`
}

// sinks returns the output topics.
func (c testCase) sinks() []string {
	var names []string
	for _, s := range c.Steps {
		if s.Op == "to" {
			names = append(names, s.Name)
		}
	}
	return names
}

// String returns the JSON of the case.
func (c testCase) String() string {
	data, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// record returns the record that Rio gets.
func (in input) record() processor.Record[string, string] {
	r := processor.Record[string, string]{Timestamp: in.At, NoKey: in.Key == nil, Tombstone: in.Value == nil}
	if in.Key != nil {
		r.Key = *in.Key
	}
	if in.Value != nil {
		r.Value = *in.Value
	}
	for _, h := range in.Headers {
		r.Headers = append(r.Headers, processor.Header(h))
	}
	return r
}

// String returns the record as a line of a golden script.
func (in input) String() string {
	line := fmt.Sprintf("@%d ", in.At)
	if in.Key != nil {
		line += *in.Key + "="
	}
	if in.Value == nil {
		return line + "null"
	}
	return line + *in.Value
}

func (h header) String() string { return fmt.Sprintf("%s:%q", h.Key, h.Value) }

// describe returns the steps, a line each.
func (c testCase) describe() string {
	var out strings.Builder
	for i, s := range c.Steps {
		data, err := json.Marshal(s)
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&out, "%2d %s\n", i, data)
	}
	return out.String()
}
