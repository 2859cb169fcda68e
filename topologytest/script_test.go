package topologytest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

var (
	lines  = topology.NewTopic("lines", codec.String, codec.String)
	counts = topology.NewTopic("counts", codec.String, codec.Int64)
	hourly = topology.NewTopic("hourly", codec.Windowed(codec.String).Size(time.Hour), codec.Int64)
)

func wordCount(t *testing.T) *topology.Topology {
	b := topology.NewBuilder("word-count")

	text := topology.From(b, lines)
	words := topology.FlatMap(text, strings.Fields)
	byWord := topology.KeyBy(words, "by-word", itself)
	topology.Count(byWord, "counts").To(counts)
	windows := topology.Window(byWord, topology.Tumbling(time.Hour).Grace(10*time.Minute))
	topology.Count(windows, "hourly").To(hourly)

	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func itself(word string) string { return word }

func TestWordCount(t *testing.T) {
	topologytest.Run(t, "testdata/word-count", wordCount(t), topologytest.Config{})
	topologytest.Run(t, "testdata/word-count-3", wordCount(t), topologytest.Config{Partitions: 3})
}
