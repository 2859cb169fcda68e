package oracle

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

var again = flag.String("case", "", "run this case, in JSON, instead of random ones")

// TestOracle compares Rio with Kafka Streams on random cases.
//
// Proves: kafka-streams-semantics
func TestOracle(t *testing.T) {
	classPath := os.Getenv("RIO_ORACLE")
	if classPath == "" {
		t.Skip("skipped: set RIO_ORACLE to the class path that interop/oracle/build prints")
	}
	java := startKafkaStreams(t, classPath)
	if *again != "" {
		var c testCase
		if err := json.Unmarshal([]byte(*again), &c); err != nil {
			t.Fatal(err)
		}
		if err := compare(java, c); err != nil {
			t.Fatal(err)
		}
		return
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		if err := compare(java, c); err != nil {
			t.Fatal(err)
		}
	})
}

// compare returns an error that describes the difference between Rio and Kafka Streams.
func compare(java *kafkaStreams, c testCase) error {
	want, err := java.run(c)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, c.describe()+c.String())
	}
	got, err := runRio(c)
	if err != nil {
		return fmt.Errorf("Rio: %w\n%s", err, c.describe()+c.String())
	}
	for i := range c.Inputs {
		if !slices.EqualFunc(got[i], want[i], output.equal) {
			return fmt.Errorf("after input %d, Rio has emitted\n%sand Kafka Streams\n%sThe steps:\n%sThe script, with the records of Kafka Streams:\n\n%s\nAgain: -case '%s'",
				i, c.show(got[i]), c.show(want[i]), c.describe(), c.script(want), strings.ReplaceAll(c.String(), "'", `'\''`))
		}
	}
	return nil
}

func (o output) equal(other output) bool {
	sameBytes := func(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }
	return o.Topic == other.Topic && o.At == other.At && sameBytes(o.Key, other.Key) && sameBytes(o.Value, other.Value) &&
		slices.EqualFunc(o.Headers, other.Headers, func(a, b header) bool { return a.Key == b.Key && sameBytes(a.Value, b.Value) })
}

// show returns records as a golden script shows them, and their headers.
func (c testCase) show(outputs []output) string {
	var out strings.Builder
	for _, o := range outputs {
		fmt.Fprintf(&out, "%s @%d ", o.Topic, o.At)
		if o.Key != nil {
			fmt.Fprintf(&out, "%s=", c.keyText(o))
		}
		value := "null"
		if o.Value != nil {
			value = string(o.Value)
		}
		out.WriteString(value)
		if len(o.Headers) > 0 {
			fmt.Fprintf(&out, " %v", o.Headers)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// keyText returns the key of an output record.
func (c testCase) keyText(o output) string {
	w := c.windowsOf(o.Topic)
	if w == nil {
		return string(o.Key)
	}
	key, err := topology.WindowCodec(w.windows(), codec.String).Decode(o.Key)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s[%d, %d]", key.Key, key.Start.UnixMilli(), key.End.UnixMilli())
}

// windowsOf returns the windows of the keys in an output topic, or nil.
func (c testCase) windowsOf(topic string) *windows {
	at := slices.IndexFunc(c.Steps, func(s step) bool { return s.Op == "to" && s.Name == topic })
	for s := c.Steps[at]; len(s.In) > 0; s = c.Steps[s.In[0]] {
		if s.Op == "key-by" || strings.HasSuffix(s.Op, "-table-by") {
			return nil
		}
		if s.Windows != nil {
			return s.Windows
		}
	}
	return nil
}

// script returns the case as a golden script, with the outputs of Kafka Streams.
func (c testCase) script(outputs [][]output) string {
	var out strings.Builder
	for i, in := range c.Inputs {
		shown := c.show(outputs[i])
		if shown == "" {
			shown = "ok\n"
		}
		fmt.Fprintf(&out, "send %s times\n%s\n----\n%s\n", in.Topic, in, shown)
	}
	return out.String()
}
