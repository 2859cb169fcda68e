package runner

import (
	"errors"
	"fmt"
	"regexp"
	"testing"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// TestErrorsOfTopicsNameWhoWritesThem: the error of a topic names the step or store that writes to it.
func TestErrorsOfTopicsNameWhoWritesThem(t *testing.T) {
	b := topology.NewBuilder("app")
	in := topology.From(b, topology.NewTopic("in", codec.String, codec.String))
	topology.Count(in, "counts")
	in.To(topology.NewTopic("out", codec.String, codec.String))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRunner(top, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{r: r, tasks: []*running{{assignment: &assignment{sub: top.Plan().Subtopologies[0]}}}}
	for topic, want := range map[string]string{
		"out":                  `^sink \(namewriter_test.go:\d+\): commit: out/3: unknown topic or partition$`,
		"app-counts-changelog": `^store "counts": commit: app-counts-changelog/3: unknown topic or partition$`,
		"other":                `^commit: other/3: unknown topic or partition$`,
	} {
		broken := &kafka.PartitionError{TopicPartition: kafka.TopicPartition{Topic: topic, Partition: 3}, Err: kafka.ErrUnknownTopic}
		err := w.nameWriter(fmt.Errorf("commit: %w", broken))
		if !regexp.MustCompile(want).MatchString(err.Error()) || !errors.Is(err, kafka.ErrUnknownTopic) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
