package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// TestACopyOfAChain runs copies of two applications, the second of which reads what the first writes, as a stream and as a table.
// The copies must read and write topics of their own.
func TestACopyOfAChain(t *testing.T) {
	long(t)
	c := newCluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	middle := topology.NewTopic(c.app+"-middle", codec.String, codec.String)
	table := topology.NewTopic(c.app+"-table", codec.String, codec.String)
	out := topology.NewTopic(c.app+"-out", codec.String, codec.String)

	b := topology.NewBuilder(c.app)
	lines := topology.From(b, c.lines)
	topology.Map(lines, strings.ToUpper).To(middle)
	topology.Map(lines, func(line string) string { return line + "!" }).To(table)
	first := c.build(b)

	b = topology.NewBuilder(c.app + "-second")
	join := func(one, other string) string { return one + " " + other }
	topology.Join(topology.From(b, middle), topology.TableFrom(b, table), join).To(out)
	second := c.build(b)

	c.create(c.lines.Name(), 1)
	c.send(c.lines.Name(), 1, "rio", "mar")
	cfg := c.config()
	cfg.Application, cfg.OutputPrefix = c.app+"-copy", "copy-"
	if err := runner.Run(ctx, first, cfg); err != nil {
		t.Fatal(err)
	}
	cfg = c.config()
	cfg.Application, cfg.OutputPrefix = c.app+"-second-copy", "copy-"
	cfg.InputNames = map[string]string{middle.Name(): "copy-" + middle.Name(), table.Name(): "copy-" + table.Name()}
	if err := runner.Run(ctx, second, cfg); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range c.read("copy-" + out.Name()) {
		got = append(got, string(r.Value))
	}
	if text := strings.Join(got, ", "); text != "RIO rio!, MAR mar!" && text != "MAR mar!, RIO rio!" {
		t.Errorf("the copy wrote %s", text)
	}
	topics, err := c.client.Topics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if topic.Name == middle.Name() || topic.Name == table.Name() || topic.Name == out.Name() {
			t.Errorf("the copies made topic %s", topic.Name)
		}
	}

	cfg.InputNames = map[string]string{out.Name(): "other", c.app + "-midle": "other"}
	err = runner.Run(ctx, second, cfg)
	for _, want := range []string{`"` + out.Name() + `", but the topology reads no such topic`, c.app + "-midle", "did you mean"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want it to say %q", err, want)
		}
	}
}
