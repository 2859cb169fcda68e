package runner_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// TestTopicsChosenByRecords: records choose their topic and partition. One that chooses a missing topic goes to the
// dead-letter topic.
func TestTopicsChosenByRecords(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	c.create(c.app+".sul", 3)
	c.create(c.app+".norte", 1)

	b := topology.NewBuilder(c.app)
	topology.From(b, c.lines).To(c.out().NamedBy(func(r textRecord) string {
		region, _, _ := strings.Cut(r.Value, " ")
		return c.app + "." + region
	}).PartitionedBy(func(_ textRecord, n int) int { return n - 1 }))
	top := c.build(b)
	c.send(c.lines.Name(), 1, "sul 1", "norte 1", "leste 1", "sul 2", "no lugar certo!/ 1")
	cfg := c.config()
	cfg.Policies = processor.Policies{Produce: processor.Policy{Action: processor.DeadLetter}, DeadLetters: c.app + ".letters"}
	if err := runner.Run(t.Context(), top, cfg); err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]string{"sul": "[sul 1 sul 2]", "norte": "[norte 1]", "letters": "[leste 1 no lugar certo!/ 1]"} {
		var values []string
		for _, r := range c.read(c.app + "." + topic) {
			values = append(values, string(r.Value))
		}
		if got := fmt.Sprint(values); got != want {
			t.Errorf("%s holds %s, want %s", topic, got, want)
		}
	}
}
